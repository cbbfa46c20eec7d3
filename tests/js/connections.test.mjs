// HTTP connections: how much of one is read ahead of its answers, how long it may take, and what counts as one.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import net from 'node:net';
import { after, test } from 'node:test';
import { REMOTE, RawWebSocket, killAll, rawHttp, request, residentBytes, startServer, until } from './server.mjs';

const skip = Boolean(REMOTE);
const HEALTH = 'GET /health HTTP/1.1\r\nHost: a\r\n\r\n';
const open = new Set();

after(async () => {
  for (const socket of open) socket.destroy();
  await killAll();
});

/** A bare connection: `text()` is what has come, `ended` resolves when the server has ended it. */
async function connection(server, options = {}) {
  const socket = net.connect({ port: server.port, host: '127.0.0.1', ...options });
  open.add(socket);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk) => (text += chunk));
  socket.on('error', () => {});
  const ended = new Promise((done) => socket.once('close', done));
  await new Promise((done) => socket.once('connect', done));
  return { socket, ended, text: () => text };
}

/** The id of a new long-polling session. */
async function handshake(server) {
  const { text } = await request(`${server.url}/socket.io/?EIO=4&transport=polling`);
  return JSON.parse(text.slice(1)).sid;
}

const poll = (sid) => `GET /socket.io/?EIO=4&transport=polling&sid=${sid} HTTP/1.1\r\nHost: a\r\n\r\n`;
const longHead = (bytes) => `GET /health HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(bytes)}\r\n\r\n`;
const answers = (text) => text.split('HTTP/1.1 200 OK').length - 1;
const descriptors = (server) => readdirSync(`/proc/${server.pid}/fd`).length;

test('four hundred requests ahead of their answers are all answered', { skip }, async () => {
  const server = await startServer({ env: { PING_INTERVAL_MS: '300' } });
  const { socket, text } = await connection(server);
  socket.write(HEALTH.repeat(400));
  await until('all are answered', () => answers(text()) === 400);
  // A head of more than is read behind a poll, which waits for a ping.
  socket.write(poll(await handshake(server)) + longHead(40_000));
  await until('two more are', () => answers(text()) === 402);
  assert.equal(await server.stop(), 0);
});

test('what is sent behind a poll that waits is not read, and a client that takes no answer is closed', { skip }, async () => {
  const server = await startServer({ env: { BODY_TIMEOUT_MS: '2000' } });
  const before = residentBytes(server.pid);
  const polls = await Promise.all(
    Array.from({ length: 60 }, async () => {
      const sid = await handshake(server);
      const { socket, ended } = await connection(server);
      socket.write(poll(sid) + longHead(100_000).repeat(10));
      return { socket, ended };
    }),
  );
  await until('nothing more is read of them', () => polls.every(({ socket }) => socket.writableLength > 0 || socket.bytesWritten > 1e6));
  await new Promise((done) => setTimeout(done, 500));
  const grown = residentBytes(server.pid) - before;
  assert.ok(grown < 30e6, `grew by ${grown} bytes`);
  for (const { socket } of polls) socket.destroy();

  await until('they are gone', () => descriptors(server) < 60);
  const { socket } = await connection(server);
  const held = descriptors(server);
  socket.pause();
  socket.write(HEALTH.repeat(100_000));
  await until('it is closed', () => descriptors(server) < held);
  assert.equal(await server.stop(), 0);
});

for (const [name, rest] of [
  ['half a head', 'GET /hea'],
  ['an empty line', '\r\n'],
]) {
  test(`${name} behind an answer has its time, as a first one has`, { skip }, async () => {
    const server = await startServer({ env: { HEADER_TIMEOUT_MS: '500' } });
    const { socket, ended, text } = await connection(server);
    socket.write(HEALTH);
    await until('it is answered', () => answers(text()) === 1);
    socket.write(rest);
    await ended;
    assert.equal(await server.stop(), 0);
  });
}

test('the rest of a body that was answered early has its time', { skip }, async () => {
  const server = await startServer({ env: { BODY_TIMEOUT_MS: '500' } });
  const { socket, ended, text } = await connection(server);
  socket.write('GET /health HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc');
  await ended;
  assert.equal(answers(text()), 1);
  assert.equal(await server.stop(), 0);
});

test('a handshake that HTTP takes for none gets no 101, and what comes behind it is HTTP', { skip }, async () => {
  const server = await startServer();
  const handshake = (version, lines) =>
    `GET /socket.io/?EIO=4&transport=websocket HTTP/${version}\r\nHost: a\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`;
  for (const [version, ...lines] of [
    ['1.1', 'Connection: Upgrade', 'Upgrade: foo, websocket'],
    ['1.1', 'Connection: Upgrade', 'Upgrade: xwebsocketx'],
    ['1.1', 'Connection: Upgrade', 'Upgrade: websocket/13'],
    ['1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Transfer-Encoding: chunked'],
    ['1.0', 'Connection: Upgrade', 'Upgrade: websocket'],
  ]) {
    const close = 'GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const answer = await rawHttp(server.url, `${handshake(version, lines)}0\r\n\r\n${close}`);
    assert.match(answer, /^HTTP\/1\.[01] 400 /, lines.join());
    assert.match(answer, /\{"code":3,"message":"Bad request"\}/);
    assert.doesNotMatch(answer, /101 Switching/);
  }
  assert.equal(await server.stop(), 0);
});

test('a WebSocket counts among the connections', { skip }, async () => {
  const server = await startServer({ env: { MAX_CONNECTIONS: '3', WORKERS: '1' } });
  const sockets = await Promise.all([0, 1, 2].map(() => RawWebSocket.open(server.url)));
  const { text } = await connection(server).then(({ socket, text }) => (socket.write(HEALTH), { text }));
  await new Promise((done) => setTimeout(done, 300));
  assert.equal(text(), '');
  sockets[0].destroy();
  await until('there is room', () => answers(text()) === 1);
  for (const socket of sockets) socket.destroy();
  assert.equal(await server.stop(), 0);
});

test('what is no HTTP is no error of the server', { skip }, async () => {
  const server = await startServer({ env: { LOG_LEVEL: 'info' } });
  for (const bytes of ['GET / HTTP/9.9\r\n\r\n', 'rubbish\r\n\r\n', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc']) {
    await rawHttp(server.url, Buffer.from(bytes, 'latin1'));
  }
  assert.doesNotMatch(server.log(), /ERROR/);
  assert.equal(await server.stop(), 0);
});

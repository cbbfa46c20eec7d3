// The client code that people have or copy, word for word: the seed's snippet, and the lines of docs/client.md.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { io } from 'socket.io-client';
import { closeAll, connect, killAll, register, send, startServer, uniqueName, until } from './server.mjs';

// Code of theirs keeps its sockets up by itself: what a failing test leaves open would keep this file from ending.
const theirs = [];
afterEach(async () => {
  for (const socket of theirs.splice(0)) socket.close();
  closeAll();
  await killAll();
});

test('the seed\'s own client snippet works unchanged', async () => {
  const server = await startServer();
  const ann = await register(server.url);
  const bob = await register(server.url);
  const url = server.url;
  const received = new Promise((done) => {
    const token = bob.token;
    // The snippet of the receiving side:
    const socket = io(url, { auth: { token } });
    socket.on('private_message', (message) => {
      socket.emit('message_read', { messageId: message.id });
      done(message);
    });
    theirs.push(socket);
    socket.on('connect', write);
  });
  let own, read;
  const confirmed = new Promise((done) => (own = done));
  const seen = new Promise((done) => (read = done));

  function write() {
    const token = ann.token;
    const receiverId = bob.user.id;
    // The snippet of the sending side: no callback, the confirmation is the event.
    const socket = io(url, { auth: { token } });
    theirs.push(socket);
    socket.on('connect', () => {
      socket.emit('typing', { receiverId, isTyping: true });
      socket.emit('private_message', { receiverId, message: 'Hello' });
    });
    socket.on('private_message', (message) => own(message));
    socket.on('message_read', ({ messageId }) => read(messageId));
    socket.on('error', ({ message }) => own(Promise.reject(new Error(message))));
  }

  const message = await received;
  assert.equal(message.message, 'Hello');
  assert.equal(message.senderId, ann.user.id);
  assert.deepEqual(await confirmed, message);
  assert.equal(await seen, message.id);
});

test('the lines of docs/client.md send, receive, confirm and catch up', async () => {
  const server = await startServer();
  const [ann, bob] = [await register(server.url), await register(server.url)];
  const text = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8');
  const [, lines] = /```js\n(.*?)```/s.exec(text);
  const login = `username: '${ann.user.username}', password: '${ann.password}'`;
  const code = lines.replace('http://localhost:5000', server.url).replace("username: 'ann', password: 'correct horse'", login);
  assert.ok(code.includes(login) && code.includes(server.url), 'the lines still begin as this test expects');
  const file = new URL(`./snippet-${uniqueName()}.mjs`, import.meta.url);
  writeFileSync(file, `${code}\nexport { socket, since };\n`);
  try {
    const app = await import(file);
    theirs.push(app.socket);
    // Its first `sync` has no cursor to begin at: what was sent before that was never missed.
    await until('the app knows where it stands', () => app.since !== undefined);
    const other = await connect(server.url, bob.token);
    const delivered = new Promise((done) => other.once('message_delivered', done));
    const first = await send(other, ann.user.id, 'to the app');
    await until('the app has it', () => app.messages.has(first.id));
    assert.deepEqual(await delivered, { messageId: first.id });

    const answer = await app.send(bob.user.id, 'from the app');
    assert.equal(answer.message.seq, first.seq + 1);
    app.socket.disconnect();
    const missed = await send(other, ann.user.id, 'while it was away');
    assert.equal(app.messages.has(missed.id), false);
    app.socket.connect();
    await until('the app has caught up', () => app.messages.has(missed.id));
  } finally {
    rmSync(file, { force: true });
  }
});

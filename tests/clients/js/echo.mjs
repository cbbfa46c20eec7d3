// The echo scenario: arguments, attachments, acknowledgements and namespaces, there and back.
import assert from 'node:assert/strict';
import { Peer, options } from './peer.mjs';

const EVENTS = ['auth', 'message-back', 'emit-with-ack'];
const BURST = 100;
const AUTH = { token: 'any', nested: { list: [1, 'two', null] } };

const pattern = (length) => Buffer.from(Array.from({ length }, (_, n) => (n * 31 + (n >> 8)) & 0xff));

/** Four attachments, one of them empty, at several depths. */
const binaryArgs = () => [
  { head: pattern(256), list: ['x', Buffer.alloc(0), { deep: Buffer.from([0]) }], n: 1 },
  pattern(30_000),
  'tail',
];

/** Byte values of any class as the same kind of plain value. */
function plain(value) {
  if (value instanceof ArrayBuffer) return plain(Buffer.from(value));
  if (ArrayBuffer.isView(value)) return { bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex') };
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

const same = (got, wanted) => assert.deepEqual(plain(got), plain(wanted));

async function echoed(peer, args) {
  peer.emit('message', ...args);
  same(await peer.next('message-back'), args);
}

export async function echo(io, { url, transport, plainArgs, heartbeatMs }, report) {
  const socket = io(url, options(transport, AUTH));
  const peer = new Peer(socket, EVENTS);

  await report.check('auth', async () => {
    await peer.connect();
    same(await peer.next('auth'), [AUTH]);
    await peer.reached(transport);
  });

  await report.check('plain', () => echoed(peer, plainArgs));
  await report.check('binary', () => echoed(peer, binaryArgs()));

  await report.check('ack', async () => {
    same(await peer.ask('message-with-ack', ...plainArgs), plainArgs);
    same(await peer.ask('message-with-ack'), []);
  });

  await report.check('ack-binary', async () => {
    same(await peer.ask('message-with-ack', ...binaryArgs()), binaryArgs());
  });

  await report.check('server-ack', async () => {
    peer.emit('emit-with-ack', ...binaryArgs());
    const asked = await peer.next('emit-with-ack');
    const acknowledge = asked.pop();
    same(asked, binaryArgs());
    const back = [{ mine: pattern(77) }, 'and text', pattern(3)];
    acknowledge(...back);
    same(await peer.next('emit-with-ack'), back);
  });

  const custom = new Peer(socket.io.socket('/custom', { auth: { of: 'custom' } }), EVENTS);

  await report.check('namespace', async () => {
    await custom.connect();
    same(await custom.next('auth'), [{ of: 'custom' }]);
    await echoed(custom, binaryArgs());
    same(await custom.ask('message-with-ack', 'custom'), ['custom']);
    assert.deepEqual(peer.pending('message-back'), []);
  });

  await report.check('namespace-close', async () => {
    custom.socket.disconnect();
    await custom.next('disconnect');
    await echoed(peer, ['still here']);
  });

  await report.check('unknown-namespace', async () => {
    const nowhere = new Peer(socket.io.socket('/nowhere', { auth: {} }), EVENTS);
    nowhere.socket.connect();
    const [error] = await nowhere.next('connect_error');
    assert.equal(error.message, 'Invalid namespace');
    await echoed(peer, ['still here']);
  });

  await report.check('order', async () => {
    const fresh = new Peer(io(url, options(transport, {})), EVENTS);
    const event = (n) => (n % 2 ? [n, pattern(n)] : [n, 'text']);
    fresh.socket.once('connect', () => {
      for (let n = 0; n < BURST; n += 1) fresh.emit('message', ...event(n));
    });
    await fresh.connect();
    for (let n = 0; n < BURST; n += 1) same(await fresh.next('message-back'), event(n));
    fresh.socket.disconnect();
  });

  await report.check('large', () => echoed(peer, ['ü€🙂'.repeat(11_111), pattern(300_000)]));

  await report.check('heartbeat', async () => {
    const { id } = socket;
    const end = Date.now() + heartbeatMs;
    for (let n = 0; Date.now() < end; n += 1) await echoed(peer, [n]);
    assert.equal(socket.id, id);
    assert.deepEqual(peer.pending('disconnect'), []);
  });

  await report.check('cut', async () => {
    const { id } = socket;
    await report.ask('cut');
    await peer.next('disconnect');
    await report.ask('mend');
    await peer.next('connect');
    assert.notEqual(socket.id, id);
    same(await peer.next('auth'), [AUTH]);
    await echoed(peer, binaryArgs());
    await peer.reached(transport);
  });

  await report.check('disconnect', async () => {
    const { id } = socket;
    socket.disconnect();
    await peer.next('disconnect');
    await peer.connect();
    assert.notEqual(socket.id, id);
    same(await peer.next('auth'), [AUTH]);
    await echoed(peer, plainArgs);
    socket.disconnect();
  });
}

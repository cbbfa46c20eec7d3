// What a bad network does to sends and to readers: copies, lost acknowledgements, a reader that stops reading.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  TRANSPORTS,
  closeAll,
  connect,
  cuttable,
  disconnected,
  fence,
  nextEvent,
  ok,
  onlyEmbedded,
  pending,
  register,
  send,
  startServer,
  wholeConversation,
} from './server.mjs';

let server, ann, bob;

before(async () => (server = await startServer({ env: { OUTBOX_BYTES: '262144', RATE_LIMITS: 'off' } })));
beforeEach(async () => {
  closeAll();
  [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
});
after(async () => {
  closeAll();
  await server.stop();
});

test('100 copies over four sockets are one message, 100 equal acknowledgements and one delivery', async () => {
  const receiver = await connect(server.url, bob.token, TRANSPORTS.websocket);
  const sockets = await Promise.all(
    ['websocket', 'polling', 'upgrade', 'websocket'].map((name) => connect(server.url, ann.token, TRANSPORTS[name])),
  );
  const copies = Array.from({ length: 100 }, (_, n) => send(sockets[n % 4], bob.user.id, 'hello', { clientId: 'm-1' }));
  const messages = await Promise.all(copies);
  for (const message of messages) assert.deepEqual(message, messages[0]);
  assert.deepEqual(await nextEvent(receiver, 'private_message'), messages[0]);
  await fence(sockets[0], receiver, bob.user.id);
  assert.deepEqual(pending(receiver, 'private_message'), []);
  assert.equal((await wholeConversation(server.url, ann.token, bob.user.id)).length, 2);
});

test("the stock client's own retries over a link that is cut again and again send each message once, in order", async () => {
  const proxy = await cuttable(server.url);
  const receiver = await connect(server.url, bob.token, TRANSPORTS.websocket);
  const socket = await connect(proxy.url, ann.token, {
    ...TRANSPORTS.websocket,
    reconnection: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 50,
    retries: 20,
    ackTimeout: 500,
  });
  const acks = [];
  for (let n = 0; n < 40; n += 1) {
    const payload = { receiverId: bob.user.id, message: `m${n}`, clientId: `c-${n}` };
    acks.push(new Promise((done, failed) => socket.emit('private_message', payload, (error, ack) => (error ? failed(error) : done(ack)))));
    if (n % 10 === 5) setImmediate(proxy.cut);
  }
  for (const ack of await Promise.all(acks)) assert.equal(ack.ok, true, JSON.stringify(ack));
  const stored = await wholeConversation(server.url, ann.token, bob.user.id);
  assert.deepEqual(stored.map((message) => message.message), Array.from({ length: 40 }, (_, n) => `m${n}`));
  for (const message of stored) assert.deepEqual(await nextEvent(receiver, 'private_message'), message);
  socket.disconnect();
  await proxy.close();
});

const slowReader = {
  timeout: 180_000,
  skip: onlyEmbedded('it takes 20 MB to fill the buffers, a minute for what stands in for a mongod; limits.test.mjs has the closing'),
};

test('a reader that stops is closed as slow, senders notice nothing, and sync completes it', slowReader, async () => {
  const count = 10_000;
  // More than the kernel's buffers and the server's take together.
  const text = '😀'.repeat(500);
  const slow = await connect(server.url, bob.token, TRANSPORTS.websocket);
  const { cursor } = await ok(slow, 'sync', {});
  const closed = disconnected(slow);
  slow.io.engine.transport.ws._socket.pause();
  const socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
  for (let sent = 0; sent < count; sent += 250) {
    await Promise.all(Array.from({ length: 250 }, (_, n) => send(socket, bob.user.id, `${sent + n} ${text}`)));
  }
  slow.io.engine.transport.ws._socket.resume();
  await closed;
  const again = await connect(server.url, bob.token, TRANSPORTS.websocket);
  const met = [];
  for (let since = cursor; ; ) {
    const page = await ok(again, 'sync', { since, limit: 500 });
    met.push(...page.events.map((event) => event.message.seq));
    since = page.cursor;
    if (page.complete) break;
  }
  assert.deepEqual(met, Array.from({ length: count }, (_, n) => n + 1));
});

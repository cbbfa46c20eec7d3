// Bounds on what is kept for a client: sockets a user, bytes of an outbox, bytes of a page, the life of a token.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import {
  PacketSocket,
  REMOTE,
  TRANSPORTS,
  assertComplete,
  assertError,
  closeAll,
  connect,
  disconnected,
  killAll,
  nextEvent,
  ok,
  refusedConnect,
  register,
  residentBytes,
  send,
  signToken,
  startServer,
  wholeConversation,
} from './server.mjs';

afterEach(async () => {
  closeAll();
  await killAll();
});

const couple = (url) => Promise.all([register(url), register(url)]);

describe('limits', { skip: Boolean(REMOTE) }, () => {
  test('one socket too many is refused as forbidden, and there is room again when one leaves', async () => {
    const server = await startServer({ env: { MAX_SOCKETS_PER_USER: '3' } });
    const [ann, bob] = await couple(server.url);
    const watcher = await connect(server.url, bob.token);
    const sockets = await Promise.all(Object.values(TRANSPORTS).map((each) => connect(server.url, ann.token, each)));
    for (const options of Object.values(TRANSPORTS)) {
      assertError((await refusedConnect(server.url, ann.token, options)).data, 'forbidden');
    }
    await connect(server.url, bob.token);
    for (const socket of sockets) socket.disconnect();
    await nextEvent(watcher, 'user_offline', (event) => event.userId === ann.user.id);
    await connect(server.url, ann.token);
    assert.equal(await server.stop(), 0);
  });

  test('a socket whose token ends gets an error and is disconnected for good', async () => {
    const server = await startServer();
    const [ann] = await couple(server.url);
    const exp = Math.floor(Date.now() / 1000) - 8;
    const token = signToken({ sub: ann.user.id, exp });
    const socket = await connect(server.url, token, { ...TRANSPORTS.websocket, reconnection: true });
    const reason = disconnected(socket);
    assertError(await nextEvent(socket, 'error'), 'unauthorized');
    assert.equal(await reason, 'io server disconnect');
    const late = Date.now() / 1000 - exp;
    assert.ok(late < 21, `${late} s after its end: leeway and ten seconds at most`);
  });

  test('a client that reads nothing is closed, the others get everything, the memory stays', { timeout: 240_000 }, async () => {
    const server = await startServer({ env: { PRESENCE_GRACE_MS: '50' } });
    const [ann, bob] = await couple(server.url);
    const [from, other] = await Promise.all([0, 1].map(() => connect(server.url, ann.token, TRANSPORTS.websocket)));
    const slow = await PacketSocket.open(server.url, { token: bob.token });
    slow.raw.pause();
    const before = residentBytes(server.pid);
    // It is Bob's only device: he is offline once it is closed, which takes more than what the system holds for it.
    let closed = false;
    from.on('user_offline', ({ userId }) => (closed ||= userId === bob.user.id));
    const acknowledged = [];
    const text = 'x'.repeat(4_000);
    const writer = async () => {
      while (!closed) acknowledged.push(await send(from, bob.user.id, text));
    };
    await Promise.all(Array.from({ length: 8 }, writer));
    for (const { id } of acknowledged) await nextEvent(other, 'private_message', (message) => message.id === id);
    const grown = residentBytes(server.pid) - before;
    assert.ok(grown < 100e6, `grew by ${grown} bytes in ${acknowledged.length} messages`);
    slow.destroy();
    assert.equal(await server.stop(), 0);
  });

  test('a page of long messages ends early, and a walk still sees every one', async () => {
    const server = await startServer();
    const [ann, bob] = await couple(server.url);
    const socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
    const long = '😀'.repeat(4_000);
    const sent = await Promise.all(Array.from({ length: 60 }, () => send(socket, bob.user.id, long)));
    const page = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id, limit: 60 });
    const bytes = page.messages.reduce((sum, message) => sum + Buffer.byteLength(message.message), 0);
    assert.ok(page.messages.length > 0 && page.messages.length < 60, `${page.messages.length} messages`);
    assert.ok(bytes <= 300_000, `${bytes} bytes`);
    assert.deepEqual(page.messages, sent.slice(-page.messages.length));
    assert.equal(page.next, page.messages[0].id);
    const messages = await wholeConversation(server.url, ann.token, bob.user.id);
    assertComplete(messages, sent);

    const forwards = [];
    let after = sent[0].id;
    do {
      const part = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id, after });
      forwards.push(...part.messages);
      after = part.next;
    } while (after);
    assert.deepEqual(forwards, sent.slice(1));
    assert.equal(await server.stop(), 0);
  });
});

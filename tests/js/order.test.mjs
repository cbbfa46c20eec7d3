// Order and idempotency: seq without gaps, acks in order, and clientId repeats.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  STORE,
  TRANSPORTS,
  assertError,
  closeAll,
  connect,
  emitAck,
  fails,
  fence,
  nextEvent,
  ok,
  pending,
  register,
  send,
  startServer,
} from './server.mjs';

let server;
before(async () => (server = await startServer()));
after(async () => {
  closeAll();
  await server.stop();
});

const couple = () => Promise.all([register(server.url), register(server.url)]);
const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1);

for (const [name, options] of Object.entries(TRANSPORTS)) {
  describe(`order over ${name}`, () => {
    test('500 pipelined sends keep their order: in acks, in seq, at the receiver and in history', async () => {
      const [ann, bob] = await couple();
      const socket = await connect(server.url, ann.token, options);
      const other = await connect(server.url, bob.token, options);
      const acks = [];
      await Promise.all(
        upTo(500).map((n) =>
          ok(socket, 'private_message', { receiverId: bob.user.id, message: `m${n}` }).then((ack) => acks.push(ack)),
        ),
      );
      assert.deepEqual(acks.map((ack) => ack.message.message), upTo(500).map((n) => `m${n}`));
      assert.deepEqual(acks.map((ack) => ack.message.seq), upTo(500));
      for (const n of upTo(500)) assert.equal((await nextEvent(other, 'private_message')).seq, n);
      const last = await ok(other, 'get_chat_history', { otherUserId: ann.user.id, limit: 100 });
      assert.deepEqual(last.messages.map((message) => message.seq), upTo(500).slice(-100));
    });

    test('acks keep the order of the requests, refusals and repeats and reads between them too', async () => {
      const [ann, bob] = await couple();
      const socket = await connect(server.url, ann.token, options);
      const other = await connect(server.url, bob.token, options);
      const theirs = await send(other, ann.user.id, 'before');
      const order = [];
      // Twenty rounds that wait for each other; fewer where each of their look-ups is a scan.
      const numbers = upTo(STORE === 'mongo' ? 25 : 100);
      const calls = numbers.map((n) => {
        const request = [
          ['private_message', { receiverId: bob.user.id, message: `m${n}` }],
          ['private_message', { receiverId: bob.user.id, message: '' }],
          ['private_message', { receiverId: bob.user.id, message: 'same', clientId: 'same' }],
          ['message_read', { messageId: theirs.id }],
          ['private_message', { receiverId: 'f'.repeat(24), message: 'nobody' }],
        ][n % 5];
        return emitAck(socket, ...request).then((ack) => order.push([n, ack.ok]));
      });
      await Promise.all(calls);
      assert.deepEqual(order.map(([n]) => n), numbers);
      assert.ok(order.every(([n, accepted]) => accepted === [true, false, true, true, false][n % 5]));
    });
  });
}

test('both sides of a conversation writing at once, from several devices, leave no gap and no double', async () => {
  const [ann, bob] = await couple();
  const sockets = await Promise.all(
    [ann, ann, ann, bob, bob, bob].map((user) => connect(server.url, user.token, TRANSPORTS.websocket)),
  );
  const watcher = await connect(server.url, bob.token, TRANSPORTS.websocket);
  const sent = await Promise.all(
    sockets.flatMap((socket, index) => {
      const receiver = index < 3 ? bob.user.id : ann.user.id;
      return upTo(50).map((n) => send(socket, receiver, `${index}/${n}`));
    }),
  );
  assert.deepEqual(sent.map((message) => message.seq).sort((a, b) => a - b), upTo(300));
  for (const n of upTo(300)) assert.equal((await nextEvent(watcher, 'private_message')).seq, n);
  sockets.forEach((_, index) => {
    const own = sent.slice(index * 50, index * 50 + 50).map((message) => message.seq);
    assert.deepEqual(own, own.toSorted((a, b) => a - b));
  });
});

test('each conversation counts for itself', async () => {
  const [[ann, bob], [cat]] = await Promise.all([couple(), couple()]);
  const socket = await connect(server.url, ann.token);
  const seqs = [];
  for (const receiver of [bob, cat, bob, cat, cat]) seqs.push((await send(socket, receiver.user.id, 'x')).seq);
  assert.deepEqual(seqs, [1, 1, 2, 2, 3]);
});

describe('clientId', () => {
  let ann, bob, socket, other;
  before(async () => {
    [ann, bob] = await couple();
    socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
    other = await connect(server.url, bob.token, TRANSPORTS.websocket);
  });

  test('a repeat gets the stored message and is delivered to nobody', async () => {
    const first = await send(socket, bob.user.id, 'once', { clientId: 'a-1' });
    assert.equal(first.clientId, 'a-1');
    assert.deepEqual(await nextEvent(other, 'private_message'), first);
    assert.deepEqual(await send(socket, bob.user.id, 'once', { clientId: 'a-1' }), first);
    await fence(socket, other, bob.user.id);
    assert.deepEqual(pending(other, 'private_message'), []);
  });

  test('a repeat without a callback gets the stored message as an event, on that socket only', async () => {
    const desk = await connect(server.url, ann.token, TRANSPORTS.websocket);
    socket.emit('private_message', { receiverId: bob.user.id, message: 'once', clientId: 'a-1' });
    assertMessageIs(await nextEvent(socket, 'private_message'), 'a-1');
    await fence(socket, other, bob.user.id);
    await fence(socket, desk, bob.user.id);
    for (const device of [desk, other]) {
      assert.ok(pending(device, 'private_message').every((message) => message.clientId === undefined));
    }
    await fence(socket, other, bob.user.id);
    other.inbox.length = 0;
  });

  test('the same clientId for another text is a conflict, as ack and as event', async () => {
    const wrong = { receiverId: bob.user.id, message: 'another text', clientId: 'a-1' };
    await fails(socket, 'private_message', wrong, 'conflict');
    socket.emit('private_message', wrong);
    assertError(await nextEvent(socket, 'error'), 'conflict');
  });

  test('the same clientId to another receiver, or of another sender, is another message', async () => {
    const [cat] = await couple();
    const toCat = await send(socket, cat.user.id, 'to cat', { clientId: 'a-1' });
    const fromBob = await send(other, ann.user.id, 'from bob', { clientId: 'a-1' });
    assert.equal(toCat.seq, 1);
    assert.equal(fromBob.message, 'from bob');
    await nextEvent(socket, 'private_message', (message) => message.id === fromBob.id);
  });

  test('100 copies at once over 4 sockets are one message', async () => {
    const sockets = await Promise.all(
      Object.values({ ...TRANSPORTS, more: TRANSPORTS.websocket }).map((options) =>
        connect(server.url, ann.token, options),
      ),
    );
    const copies = await Promise.all(
      upTo(100).map((n) => send(sockets[n % 4], bob.user.id, 'copy', { clientId: 'copies' })),
    );
    assert.equal(new Set(copies.map((message) => message.id)).size, 1);
    assert.equal(new Set(copies.map((message) => message.seq)).size, 1);
    await nextEvent(other, 'private_message', (message) => message.clientId === 'copies');
    await fence(socket, other, bob.user.id);
    assert.deepEqual(pending(other, 'private_message'), []);
    const { messages } = await ok(other, 'get_chat_history', { otherUserId: ann.user.id, limit: 100 });
    assert.equal(messages.filter((message) => message.clientId === 'copies').length, 1);
    assert.deepEqual(messages.map((message) => message.seq), upTo(messages.length));
  });

  test('100 copies with two texts at once: one text wins, the other is a conflict', async () => {
    const acks = await Promise.all(
      upTo(100).map((n) =>
        emitAck(socket, 'private_message', { receiverId: bob.user.id, message: `t${n % 2}`, clientId: 'two' }),
      ),
    );
    const winner = acks.find((ack) => ack.ok).message.message;
    acks.forEach((ack, index) => {
      if (`t${(index + 1) % 2}` === winner) assert.equal(ack.message.message, winner);
      else assertError(ack.error, 'conflict');
    });
  });

  test('a repeat is known after a restart', async () => {
    const first = await send(socket, bob.user.id, 'kept', { clientId: 'kept' });
    closeAll();
    await server.restart();
    const again = await connect(server.url, ann.token);
    assert.deepEqual(await send(again, bob.user.id, 'kept', { clientId: 'kept' }), first);
    await fails(again, 'private_message', { receiverId: bob.user.id, message: 'other', clientId: 'kept' }, 'conflict');
    assert.equal((await send(again, bob.user.id, 'next')).seq, first.seq + 1);
  });
});

function assertMessageIs(message, clientId) {
  assert.equal(message.clientId, clientId);
}

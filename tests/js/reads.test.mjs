// message_read: reads up to the message, tells the writer and the reader's other devices, once each.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  TRANSPORTS,
  TIME,
  assertError,
  closeAll,
  connect,
  fails,
  fence,
  nextEvent,
  ok,
  pending,
  register,
  send,
  startServer,
  twoPeople,
} from './server.mjs';

let server, ann, bob, socket, desk, reader, other;
const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1);
const write = (count) => Promise.all(upTo(count).map((n) => send(socket, bob.user.id, `m${n}`)));
const readIds = (on) => pending(on, 'message_read').map((event) => event.messageId);

before(async () => (server = await startServer()));
beforeEach(async () => {
  closeAll();
  ({
    ann,
    bob,
    devices: [[socket, desk], [reader, other]],
  } = await twoPeople(server.url, ['websocket', 'polling'], ['websocket', 'polling']));
});
after(async () => {
  closeAll();
  await server.stop();
});

test('reads up to the message and tells one event a message, oldest first', async () => {
  const messages = await write(5);
  const expected = messages.slice(0, 3).map((message) => message.id);
  assert.deepEqual(await ok(reader, 'message_read', { messageId: messages[2].id }), { ok: true, count: 3 });
  for (const device of [socket, desk, other]) {
    for (const messageId of expected) assert.deepEqual(await nextEvent(device, 'message_read'), { messageId });
  }
  await fence(socket, reader, bob.user.id);
  assert.deepEqual(readIds(reader), [], 'the socket that read is not told');
});

test('history shows what was read and when, and the rest as unread', async () => {
  const messages = await write(4);
  await ok(reader, 'message_read', { messageId: messages[1].id });
  const page = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id });
  assert.deepEqual(page.messages.map((message) => message.isRead), [true, true, false, false]);
  for (const message of page.messages) {
    if (message.isRead) assert.match(message.readAt, TIME);
    else assert.ok(!('readAt' in message));
  }
});

test('reading twice changes nothing and tells nobody', async () => {
  const messages = await write(3);
  await ok(reader, 'message_read', { messageId: messages[2].id });
  const before = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id });
  for (const n of [2, 0]) {
    assert.deepEqual(await ok(reader, 'message_read', { messageId: messages[n].id }), { ok: true, count: 0 });
  }
  const after = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id });
  assert.deepEqual(after.messages, before.messages);
  await fence(reader, socket, ann.user.id);
  assert.equal(readIds(socket).length, 3);
});

test('only what was sent to the reader is read', async () => {
  const first = await send(socket, bob.user.id, 'to bob');
  const own = await send(reader, ann.user.id, 'from bob');
  const second = await send(socket, bob.user.id, 'to bob again');
  assert.equal((await ok(reader, 'message_read', { messageId: second.id })).count, 2);
  const page = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id });
  const read = Object.fromEntries(page.messages.map((message) => [message.id, message.isRead]));
  assert.deepEqual(read, { [first.id]: true, [own.id]: false, [second.id]: true });
});

test('past 100 only the newest 100 are told one by one, the count says all', async () => {
  const messages = await write(130);
  assert.equal((await ok(reader, 'message_read', { messageId: messages.at(-1).id })).count, 130);
  await fence(reader, socket, ann.user.id);
  assert.deepEqual(readIds(socket), messages.slice(-100).map((message) => message.id));
});

test('works without a callback', async () => {
  const [message] = await write(1);
  reader.emit('message_read', { messageId: message.id });
  assert.deepEqual(await nextEvent(socket, 'message_read'), { messageId: message.id });
  await fence(socket, reader, bob.user.id);
  assert.deepEqual(readIds(reader), []);
});

test('one\'s own, another\'s and an unknown message are not_found, a wrong id invalid_input', async () => {
  const [message] = await write(1);
  const cat = await connect(server.url, (await register(server.url)).token, TRANSPORTS.websocket);
  await fails(socket, 'message_read', { messageId: message.id }, 'not_found');
  await fails(cat, 'message_read', { messageId: message.id }, 'not_found');
  await fails(reader, 'message_read', { messageId: 'f'.repeat(24) }, 'not_found');
  for (const payload of [{ messageId: 'x' }, { messageId: { $ne: null } }, {}, null, [message.id]]) {
    await fails(reader, 'message_read', payload, 'invalid_input');
  }
  reader.emit('message_read', { messageId: 'x' });
  assertError(await nextEvent(reader, 'error'), 'invalid_input', 'messageId');
  const page = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id });
  assert.equal(page.messages[0].isRead, false);
});

test('readings are durable', async () => {
  const messages = await write(3);
  await ok(reader, 'message_read', { messageId: messages[1].id });
  closeAll();
  await server.restart();
  const again = await connect(server.url, ann.token);
  const page = await ok(again, 'get_chat_history', { otherUserId: bob.user.id });
  assert.deepEqual(page.messages.map((message) => message.isRead), [true, true, false]);
});

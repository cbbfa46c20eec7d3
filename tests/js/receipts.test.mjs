// message_delivered: everything up to it reached this device; the sender hears of each message once, never backwards.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  TIME,
  TRANSPORTS,
  assertError,
  assertMessage,
  closeAll,
  connect,
  fails,
  fence,
  nextEvent,
  ok,
  pending,
  register,
  rest,
  send,
  startServer,
  twoPeople,
} from './server.mjs';

let server, ann, bob, socket, desk, receiver, other;
const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1);
const write = (count) => Promise.all(upTo(count).map((n) => send(socket, bob.user.id, `m${n}`)));
const ids = (messages) => messages.map((message) => message.id);
const told = (on, name) => pending(on, name).map((event) => event.messageId);

before(async () => (server = await startServer()));
beforeEach(async () => {
  closeAll();
  ({
    ann,
    bob,
    devices: [[socket, desk], [receiver, other]],
  } = await twoPeople(server.url, ['websocket', 'polling'], ['websocket', 'polling']));
});
after(async () => {
  closeAll();
  await server.stop();
});

test('what reached a device is told to every device of the sender, oldest first, and to nobody else', async () => {
  const messages = await write(4);
  assert.deepEqual(await ok(receiver, 'message_delivered', { messageId: messages[2].id }), { ok: true, count: 3 });
  for (const device of [socket, desk]) {
    for (const messageId of ids(messages.slice(0, 3))) {
      assert.deepEqual(await nextEvent(device, 'message_delivered'), { messageId });
    }
  }
  await fence(socket, receiver, bob.user.id);
  await fence(socket, other, bob.user.id);
  for (const device of [receiver, other]) assert.deepEqual(told(device, 'message_delivered'), []);
  const { messages: page } = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id, limit: 4 });
  const shown = await rest(server.url, 'GET', `/api/chat/history/${ann.user.id}?limit=100`, { token: bob.token });
  for (const message of [...page, ...shown.json.messages]) assertMessage(message);
  const delivered = shown.json.messages.filter((message) => message.deliveredAt);
  assert.deepEqual(ids(delivered), ids(messages.slice(0, 3)));
  assert.match(delivered[0].deliveredAt, TIME);
});

test('again, and after a reading, nothing is told: a tick never goes back', async () => {
  const messages = await write(3);
  await ok(receiver, 'message_delivered', { messageId: messages[0].id });
  await ok(other, 'message_read', { messageId: messages[1].id });
  for (const n of [0, 1]) {
    assert.deepEqual(await ok(receiver, 'message_delivered', { messageId: messages[n].id }), { ok: true, count: 0 });
  }
  assert.equal((await ok(receiver, 'message_delivered', { messageId: messages[2].id })).count, 1);
  await fence(receiver, socket, ann.user.id);
  assert.deepEqual(told(socket, 'message_delivered'), [messages[0].id, messages[2].id]);
  assert.deepEqual(told(socket, 'message_read'), ids(messages.slice(0, 2)));
});

test('past 100 only the newest 100 are told one by one, the count says all', async () => {
  const messages = await write(120);
  assert.equal((await ok(receiver, 'message_delivered', { messageId: messages.at(-1).id })).count, 120);
  await fence(receiver, socket, ann.user.id);
  assert.deepEqual(told(socket, 'message_delivered'), ids(messages.slice(-100)));
});

test("one's own, another's and an unknown message are not_found, a wrong id invalid_input", async () => {
  const [message] = await write(1);
  const cat = await connect(server.url, (await register(server.url)).token, TRANSPORTS.websocket);
  await fails(socket, 'message_delivered', { messageId: message.id }, 'not_found');
  await fails(cat, 'message_delivered', { messageId: message.id }, 'not_found');
  await fails(receiver, 'message_delivered', { messageId: 'f'.repeat(24) }, 'not_found');
  await fails(receiver, 'message_delivered', { messageId: 7 }, 'invalid_input', 'messageId');
  receiver.emit('message_delivered', {});
  assertError(await nextEvent(receiver, 'error'), 'invalid_input', 'messageId');
});

test('receipts are durable', async () => {
  const messages = await write(3);
  await ok(receiver, 'message_delivered', { messageId: messages[1].id });
  closeAll();
  await server.restart();
  const again = await connect(server.url, ann.token);
  const page = await ok(again, 'get_chat_history', { otherUserId: bob.user.id });
  assert.deepEqual(page.messages.map((message) => Boolean(message.deliveredAt)), [true, true, false]);
});

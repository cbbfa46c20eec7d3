// typing: to the receiver's devices only, never stored, and it ends by itself.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  assertError,
  closeAll,
  fails,
  fence,
  nextEvent,
  ok,
  pending,
  startServer,
  twoPeople,
} from './server.mjs';

let server, ann, bob, socket, desk, phone, tablet;
before(async () => (server = await startServer({ env: { PRESENCE_GRACE_MS: '300' } })));
beforeEach(async () => {
  closeAll();
  ({
    ann,
    bob,
    devices: [[socket, desk], [phone, tablet]],
  } = await twoPeople(server.url, ['websocket', 'websocket'], ['websocket', 'polling']));
});
after(async () => {
  closeAll();
  await server.stop();
});

const typing = (isTyping) => ({ receiverId: bob.user.id, isTyping });
const event = (isTyping) => ({ senderId: ann.user.id, username: ann.user.username, isTyping });

test('reaches every device of the receiver and nobody else', async () => {
  assert.deepEqual(await ok(socket, 'typing', typing(true)), { ok: true });
  for (const device of [phone, tablet]) assert.deepEqual(await nextEvent(device, 'typing'), event(true));
  await ok(socket, 'typing', typing(false));
  for (const device of [phone, tablet]) assert.deepEqual(await nextEvent(device, 'typing'), event(false));
  await fence(socket, desk, bob.user.id);
  assert.deepEqual([pending(desk, 'typing'), pending(socket, 'typing')], [[], []]);
});

test('works without a callback', async () => {
  socket.emit('typing', typing(true));
  assert.deepEqual(await nextEvent(phone, 'typing'), event(true));
});

test('ends by itself when the typist is silent', { timeout: 30_000 }, async () => {
  const began = process.hrtime.bigint();
  await ok(socket, 'typing', typing(true));
  assert.deepEqual(await nextEvent(phone, 'typing'), event(true));
  assert.deepEqual(await nextEvent(phone, 'typing'), event(false));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  assert.ok(seconds > 5 && seconds < 9, `${seconds} s`);
});

test('ends by itself when the typist leaves', async () => {
  await ok(socket, 'typing', typing(true));
  assert.deepEqual(await nextEvent(phone, 'typing'), event(true));
  const began = process.hrtime.bigint();
  desk.disconnect();
  socket.disconnect();
  assert.deepEqual(await nextEvent(phone, 'typing'), event(false));
  assert.ok(Number(process.hrtime.bigint() - began) / 1e9 < 5, 'sooner than by silence');
});

test('leaves no trace in history', async () => {
  await ok(socket, 'typing', typing(true));
  const page = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id });
  assert.deepEqual(page.messages, []);
});

test('wrong requests get their codes and reach nobody', async () => {
  await fails(socket, 'typing', { receiverId: 'bob', isTyping: true }, 'invalid_input', 'receiverId');
  await fails(socket, 'typing', { receiverId: bob.user.id, isTyping: 'yes' }, 'invalid_input', 'isTyping');
  await fails(socket, 'typing', { receiverId: bob.user.id }, 'invalid_input', 'isTyping');
  await fails(socket, 'typing', { isTyping: true }, 'invalid_input', 'receiverId');
  await fails(socket, 'typing', { receiverId: 'f'.repeat(24), isTyping: true }, 'not_found');
  socket.emit('typing', { receiverId: 'bob', isTyping: true });
  assertError(await nextEvent(socket, 'error'), 'invalid_input', 'receiverId');
  await fence(socket, phone, bob.user.id);
  assert.deepEqual(pending(phone, 'typing'), []);
});

test('the sender cannot be forged', async () => {
  await ok(socket, 'typing', { ...typing(true), senderId: bob.user.id, username: 'mallory' });
  assert.deepEqual(await nextEvent(phone, 'typing'), event(true));
});

// edit_message and delete_message: the sender only, told to both sides, on both stores and after a restart.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import {
  TIME,
  TRANSPORTS,
  assertError,
  assertMessage,
  closeAll,
  connect,
  fails,
  nextEvent,
  ok,
  onlyEmbedded,
  register,
  rest,
  send,
  startServer,
  twoPeople,
  until,
} from './server.mjs';

let server, ann, bob, socket, desk, receiver;

before(async () => (server = await startServer()));
beforeEach(async () => {
  closeAll();
  ({
    ann,
    bob,
    devices: [[socket, desk], [receiver]],
  } = await twoPeople(server.url, ['websocket', 'polling'], ['websocket']));
});
after(async () => {
  closeAll();
  await server.stop();
});

const history = async () => {
  const answer = await rest(server.url, 'GET', `/api/chat/history/${ann.user.id}`, { token: bob.token });
  return answer.json.messages;
};
const conversation = async (user) => {
  const answer = await rest(server.url, 'GET', '/api/chat/conversations', { token: user.token });
  return answer.json.conversations[0];
};

test('an edit is acknowledged with the message and told to every device of both sides', async () => {
  const sent = await send(socket, bob.user.id, 'hello');
  const { message } = await ok(socket, 'edit_message', { messageId: sent.id, message: 'hello, Bob' });
  assertMessage(message, { id: sent.id, seq: sent.seq, message: 'hello, Bob', timestamp: sent.timestamp });
  assert.match(message.editedAt, TIME);
  for (const device of [socket, desk, receiver]) assert.deepEqual(await nextEvent(device, 'message_edited'), message);
  assert.deepEqual(await history(), [message]);
  assert.deepEqual((await conversation(bob)).lastMessage, message);
});

test('a deletion leaves a tombstone in its place, also as the last message of a list', async () => {
  const first = await send(socket, bob.user.id, 'first');
  const sent = await send(socket, bob.user.id, 'the last');
  await ok(socket, 'edit_message', { messageId: sent.id, message: 'the very last' });
  assert.deepEqual(await ok(socket, 'delete_message', { messageId: sent.id }), { ok: true });
  for (const device of [socket, desk, receiver]) {
    assert.deepEqual(await nextEvent(device, 'message_deleted'), { messageId: sent.id });
  }
  const [kept, gone] = await history();
  assert.deepEqual(kept, first);
  assertMessage(gone, { id: sent.id, seq: 2, message: '' });
  assert.match(gone.deletedAt, TIME);
  assert.ok(!('editedAt' in gone));
  const { lastMessage, unreadCount } = await conversation(bob);
  assert.deepEqual([lastMessage, unreadCount], [gone, 2]);
  assert.deepEqual(await ok(socket, 'delete_message', { messageId: sent.id }), { ok: true }, 'again: the same');
  await fails(socket, 'edit_message', { messageId: sent.id, message: 'too late' }, 'not_found');
  assert.equal((await send(receiver, ann.user.id, 'next')).seq, 3);
});

test('nobody edits or deletes what somebody else has sent', async () => {
  const sent = await send(socket, bob.user.id, 'hello');
  const cat = await connect(server.url, (await register(server.url)).token, TRANSPORTS.websocket);
  for (const other of [receiver, cat]) {
    await fails(other, 'edit_message', { messageId: sent.id, message: 'x' }, 'not_found');
    await fails(other, 'delete_message', { messageId: sent.id }, 'not_found');
  }
  await fails(socket, 'edit_message', { messageId: 'f'.repeat(24), message: 'x' }, 'not_found');
  await fails(socket, 'edit_message', { messageId: sent.id, message: ' \u200b' }, 'invalid_input', 'message');
  await fails(socket, 'edit_message', { messageId: sent.id }, 'invalid_input', 'message');
  await fails(socket, 'delete_message', null, 'invalid_input');
  receiver.emit('delete_message', { messageId: sent.id });
  assertError(await nextEvent(receiver, 'error'), 'not_found');
  assert.deepEqual(await history(), [sent]);
});

test('a repeat is compared with the text that was first sent, and of a deleted message any text is one', async () => {
  const sent = await send(socket, bob.user.id, 'hello', { clientId: 'm-1' });
  const { message } = await ok(socket, 'edit_message', { messageId: sent.id, message: 'edited' });
  assert.deepEqual(await send(socket, bob.user.id, 'hello', { clientId: 'm-1' }), message);
  const again = { receiverId: bob.user.id, message: 'edited', clientId: 'm-1' };
  await fails(socket, 'private_message', again, 'conflict', 'clientId');
  await ok(socket, 'delete_message', { messageId: sent.id });
  const [tombstone] = await history();
  assert.deepEqual(await send(socket, bob.user.id, 'whatever', { clientId: 'm-1' }), tombstone);
  assert.equal((await history()).length, 1);
});

test('a deletion wins over edits that come beside it', async () => {
  const sent = await send(socket, bob.user.id, 'hello');
  const edits = Array.from({ length: 8 }, (_, n) =>
    desk.emitWithAck('edit_message', { messageId: sent.id, message: `edit ${n}` }),
  );
  await Promise.all([...edits, ok(socket, 'delete_message', { messageId: sent.id })]);
  const [left] = await history();
  assert.deepEqual([left.message, Boolean(left.deletedAt)], ['', true]);
});

test('edits and deletions are durable', async () => {
  const [kept, gone] = [await send(socket, bob.user.id, 'one'), await send(socket, bob.user.id, 'two')];
  await ok(socket, 'edit_message', { messageId: kept.id, message: 'one, edited' });
  await ok(socket, 'delete_message', { messageId: gone.id });
  closeAll();
  await server.restart();
  assert.deepEqual((await history()).map((message) => message.message), ['one, edited', '']);
});

test('a deleted text leaves every file of the store', { skip: onlyEmbedded('a MongoDB keeps its own files') }, async () => {
  const text = `secret-${process.pid}-${Date.now()}`;
  const sent = await send(socket, bob.user.id, text);
  const stands = async () => {
    const names = await readdir(server.dataDir);
    const files = await Promise.all(names.map((name) => readFile(path.join(server.dataDir, name)).catch(() => '')));
    return files.some((bytes) => bytes.includes(text));
  };
  assert.ok(await stands());
  await ok(socket, 'delete_message', { messageId: sent.id });
  await until('the text is gone from the folder', async () => !(await stands()));
});

test('a message is edited within the window of the settings only', async () => {
  const strict = await startServer({ env: { EDIT_WINDOW_SECONDS: '0' } });
  const [one, two] = await Promise.all([register(strict.url), register(strict.url)]);
  const socket = await connect(strict.url, one.token, TRANSPORTS.websocket);
  const sent = await send(socket, two.user.id, 'hello');
  await fails(socket, 'edit_message', { messageId: sent.id, message: 'too late' }, 'forbidden');
  await ok(socket, 'delete_message', { messageId: sent.id });
  socket.disconnect();
  await strict.stop();
});

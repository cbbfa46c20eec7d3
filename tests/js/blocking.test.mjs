// Blocking: no messages, no typing and no presence between the two, in either direction, until it is taken back.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  TRANSPORTS,
  assertUser,
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
} from './server.mjs';

let server, ann, bob, cat, socket, blocked, watcher;

before(async () => (server = await startServer({ env: { PRESENCE_GRACE_MS: '300' } })));
beforeEach(async () => {
  closeAll();
  [ann, bob, cat] = await Promise.all([register(server.url), register(server.url), register(server.url)]);
  socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
  blocked = await connect(server.url, bob.token, TRANSPORTS.websocket);
  watcher = await connect(server.url, cat.token, TRANSPORTS.polling);
});
after(async () => {
  closeAll();
  await server.stop();
});

const about = (user) => (event) => event.userId === user.user.id;
const block = () => ok(socket, 'block_user', { userId: bob.user.id });
const seenBy = async (viewer, user) => {
  const path = `/api/users?q=${user.user.username}`;
  const { users } = (await rest(server.url, 'GET', path, { token: viewer.token })).json;
  assertUser(users[0]);
  return users[0];
};

test('either side gets forbidden on a send and on an edit, others are not concerned, and unblocking ends it', async () => {
  const [mine, theirs] = [await send(socket, bob.user.id, 'before'), await send(blocked, ann.user.id, 'before')];
  assert.deepEqual(await block(), { ok: true });
  assert.deepEqual(await block(), { ok: true }, 'again');
  for (const [from, to, message] of [[socket, bob, mine], [blocked, ann, theirs]]) {
    await fails(from, 'private_message', { receiverId: to.user.id, message: 'hello' }, 'forbidden');
    await fails(from, 'edit_message', { messageId: message.id, message: 'edited' }, 'forbidden');
    from.emit('private_message', { receiverId: to.user.id, message: 'hello' });
    assert.equal((await nextEvent(from, 'error')).code, 'forbidden');
  }
  await ok(blocked, 'delete_message', { messageId: theirs.id });
  await send(blocked, cat.user.id, 'hello');
  const history = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id });
  assert.equal(history.messages.length, 2, 'what was written stays');
  assert.deepEqual(await ok(socket, 'unblock_user', { userId: bob.user.id }), { ok: true });
  assert.deepEqual(await ok(socket, 'unblock_user', { userId: bob.user.id }), { ok: true }, 'again');
  assert.equal((await send(blocked, ann.user.id, 'hello again')).seq, 3);
});

test('what was stored before a block is a repeat when it is sent again, and stays what it was', async () => {
  const payload = { receiverId: bob.user.id, message: 'its answer was lost', clientId: 'lost-1' };
  const { message: stored } = await ok(socket, 'private_message', payload);
  await nextEvent(blocked, 'private_message');
  await block();
  assert.equal((await ok(socket, 'private_message', payload)).message.id, stored.id);
  socket.emit('private_message', payload);
  assert.equal((await nextEvent(socket, 'private_message')).id, stored.id, 'without an acknowledgement');
  await fails(socket, 'private_message', { ...payload, message: 'other' }, 'conflict');
  await fails(socket, 'private_message', { ...payload, clientId: 'lost-2' }, 'forbidden');
  await fence(watcher, blocked, bob.user.id);
  assert.deepEqual(pending(blocked, 'private_message'), [], 'it is not delivered again');
});

test('typing goes neither way, and nobody learns why', async () => {
  await ok(blocked, 'typing', { receiverId: ann.user.id, isTyping: true });
  assert.equal((await nextEvent(socket, 'typing')).isTyping, true);
  await block();
  assert.equal((await nextEvent(socket, 'typing')).isTyping, false, 'it ends');
  await ok(blocked, 'typing', { receiverId: ann.user.id, isTyping: true });
  await ok(socket, 'typing', { receiverId: bob.user.id, isTyping: true });
  await fence(watcher, socket, ann.user.id);
  await fence(watcher, blocked, bob.user.id);
  for (const device of [socket, blocked]) assert.deepEqual(pending(device, 'typing'), []);
});

test('each sees the other go at the block and come at its end, and nothing in between', async () => {
  await block();
  await nextEvent(socket, 'user_offline', about(bob));
  await nextEvent(blocked, 'user_offline', about(ann));
  const desk = await connect(server.url, bob.token, TRANSPORTS.websocket);
  const list = await nextEvent(desk, 'online_users');
  assert.deepEqual([list.some(about(ann)), list.some(about(cat))], [false, true]);
  assert.equal((await seenBy(bob, ann)).isOnline, false);
  assert.equal((await seenBy(ann, bob)).isOnline, false);
  assert.equal((await seenBy(cat, ann)).isOnline, true);
  socket.disconnect();
  await nextEvent(watcher, 'user_offline', about(ann));
  socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
  await nextEvent(watcher, 'user_online', about(ann));
  assert.ok(!(await nextEvent(socket, 'online_users')).some(about(bob)));
  await fence(watcher, blocked, bob.user.id);
  assert.deepEqual(pending(blocked, 'user_online').filter(about(ann)), []);
  await ok(socket, 'unblock_user', { userId: bob.user.id });
  await nextEvent(socket, 'user_online', about(bob));
  await nextEvent(blocked, 'user_online', about(ann));
  assert.equal((await seenBy(bob, ann)).isOnline, true);
});

test('oneself, an unknown user and rubbish are refused', async () => {
  await fails(socket, 'block_user', { userId: ann.user.id }, 'invalid_input', 'userId');
  await fails(socket, 'block_user', { userId: 'f'.repeat(24) }, 'not_found');
  for (const payload of [{}, null, { userId: 'x' }, { userId: { $ne: null } }]) {
    await fails(socket, 'block_user', payload, 'invalid_input');
  }
});

test('whom one blocks is listed on every device, over REST and the socket, in pages by id', async () => {
  const listed = async (path, user = ann) => {
    const answer = await rest(server.url, 'GET', `/api/blocks${path}`, { token: user.token });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };
  assert.deepEqual(await listed(''), { blocked: [], next: null });
  for (const user of [cat, bob]) await ok(socket, 'block_user', { userId: user.user.id });
  const entries = [bob, cat].map(({ user }) => ({ userId: user.id, username: user.username }));
  entries.sort((a, b) => (a.userId < b.userId ? -1 : 1));
  const [first, last] = entries;
  assert.deepEqual(await listed(''), { blocked: entries, next: null });
  assert.deepEqual(await listed('?limit=1'), { blocked: [first], next: first.userId });
  assert.deepEqual(await listed(`?limit=1&after=${first.userId}`), { blocked: [last], next: null });
  const desk = await connect(server.url, ann.token, TRANSPORTS.polling);
  assert.deepEqual(await ok(desk, 'get_blocked', { limit: 1 }), { ok: true, blocked: [first], next: first.userId });
  for (const payload of [{}, null]) {
    assert.deepEqual(await ok(desk, 'get_blocked', payload), { ok: true, blocked: entries, next: null });
  }
  assert.deepEqual(await listed('', bob), { blocked: [], next: null }, 'who is blocked learns nothing');
  await fails(desk, 'get_blocked', { after: 'x' }, 'invalid_input', 'after');
  await fails(desk, 'get_blocked', { limit: 101 }, 'invalid_input', 'limit');
  assert.equal((await rest(server.url, 'GET', '/api/blocks')).status, 401);
  assert.equal((await rest(server.url, 'GET', '/api/blocks?after=x', { token: ann.token })).status, 400);
  await ok(socket, 'unblock_user', { userId: first.userId });
  assert.deepEqual(await listed(''), { blocked: [last], next: null });
});

test('a block is durable', async () => {
  await block();
  closeAll();
  await server.restart();
  const { json } = await rest(server.url, 'GET', '/api/blocks', { token: ann.token });
  assert.deepEqual(json.blocked, [{ userId: bob.user.id, username: bob.user.username }]);
  const again = await connect(server.url, bob.token);
  await fails(again, 'private_message', { receiverId: ann.user.id, message: 'hello' }, 'forbidden');
});

test('where only contacts hear of each other, the first message makes them', async () => {
  const close = await startServer({ env: { PRESENCE_AUDIENCE: 'contacts' } });
  const [one, two, three] = await Promise.all([register(close.url), register(close.url), register(close.url)]);
  const [first, second, third] = await Promise.all(
    [one, two, three].map((user) => connect(close.url, user.token, TRANSPORTS.websocket)),
  );
  for (const device of [first, second, third]) assert.deepEqual(await nextEvent(device, 'online_users'), []);
  await send(first, two.user.id, 'hello');
  await nextEvent(first, 'user_online', about(two));
  await nextEvent(second, 'user_online', about(one));
  const desk = await connect(close.url, one.token, TRANSPORTS.websocket);
  assert.deepEqual((await nextEvent(desk, 'online_users')).map((user) => user.userId), [two.user.id]);
  second.disconnect();
  await nextEvent(first, 'user_offline', about(two));
  await fence(first, third, three.user.id);
  for (const name of ['user_online', 'user_offline']) {
    assert.deepEqual(pending(third, name).filter(about(two)), [], 'a stranger hears nothing');
  }
  [first, second, third, desk].forEach((device) => device.disconnect());
  await close.stop();
});

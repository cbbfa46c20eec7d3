// The chat scenario: two people on the real server, both on the client under test.
import assert from 'node:assert/strict';
import { Peer, options } from './peer.mjs';

const EVENTS = ['private_message', 'typing', 'message_read', 'online_users', 'user_online', 'user_offline', 'error'];

export async function chat(io, { url, transport, people, text }, report) {
  const open = (token) => new Peer(io(url, options(transport, { token })), EVENTS);
  const [annUser, benUser] = people;
  const ann = open(annUser.token);
  const ben = open(benUser.token);
  const toBen = (message) => ({ receiverId: benUser.id, message });
  let first;
  let second;

  await report.check('connect', async () => {
    await ann.connect();
    assert.deepEqual(await ann.next('online_users'), [[]]);
    await ben.connect();
    const [[other]] = await ben.next('online_users');
    assert.equal(other.userId, annUser.id);
    const [came] = await ann.next('user_online');
    assert.deepEqual(came, { userId: benUser.id, username: benUser.username });
    await Promise.all([ann, ben].map((peer) => peer.reached(transport)));
  });

  await report.check('refused', async () => {
    const stranger = open('not a token');
    stranger.socket.connect();
    const [error] = await stranger.next('connect_error');
    assert.ok(error instanceof Error);
    assert.equal(error.data.code, 'unauthorized');
    assert.equal(error.message, error.data.message);
    assert.equal(stranger.socket.connected, false);
    stranger.socket.disconnect();
  });

  await report.check('ack', async () => {
    const [answer] = await ann.ask('private_message', toBen(text));
    assert.equal(answer.ok, true);
    first = answer.message;
    assert.equal(first.message, text);
    assert.deepEqual([first.senderId, first.receiverId, first.seq], [annUser.id, benUser.id, 1]);
  });

  await report.check('delivery', async () => {
    assert.deepEqual(await ben.next('private_message'), [first]);
  });

  await report.check('confirmed', async () => {
    ben.emit('private_message', { receiverId: annUser.id, message: 'without an acknowledgement' });
    [second] = await ben.next('private_message');
    assert.equal(second.message, 'without an acknowledgement');
    assert.deepEqual(await ann.next('private_message'), [second]);
  });

  await report.check('typing', async () => {
    ann.emit('typing', { receiverId: benUser.id, isTyping: true });
    const typist = { senderId: annUser.id, username: annUser.username };
    assert.deepEqual(await ben.next('typing'), [{ ...typist, isTyping: true }]);
    assert.deepEqual(await ann.ask('typing', { receiverId: benUser.id, isTyping: false }), [{ ok: true }]);
    assert.deepEqual(await ben.next('typing'), [{ ...typist, isTyping: false }]);
  });

  await report.check('read', async () => {
    assert.deepEqual(await ben.ask('message_read', { messageId: first.id }), [{ ok: true, count: 1 }]);
    assert.deepEqual(await ann.next('message_read'), [{ messageId: first.id }]);
  });

  await report.check('history', async () => {
    const [page] = await ann.ask('get_chat_history', { otherUserId: benUser.id });
    assert.equal(page.ok, true);
    assert.deepEqual(page.messages.map(({ id, message }) => [id, message]), [
      [first.id, text],
      [second.id, 'without an acknowledgement'],
    ]);
  });

  await report.check('failed', async () => {
    const [answer] = await ann.ask('private_message', toBen(''));
    assert.equal(answer.ok, false);
    assert.equal(answer.error.code, 'invalid_input');
    ann.emit('private_message', toBen(''));
    const [error] = await ann.next('error');
    assert.equal(error.code, 'invalid_input');
  });

  await report.check('reconnect', async () => {
    await report.ask('restart');
    await Promise.all([ann.returned(), ben.returned()]);
    const [answer] = await ann.ask('private_message', toBen('after the restart'));
    assert.equal(answer.message.seq, 3);
    const [arrived] = await ben.next('private_message');
    assert.deepEqual(arrived, answer.message);
    await Promise.all([ann, ben].map((peer) => peer.reached(transport)));
  });

  await report.check('disconnect', async () => {
    ben.socket.disconnect();
    assert.equal((await ben.next('disconnect'))[0], 'io client disconnect');
    assert.deepEqual(await ann.next('user_offline'), [{ userId: benUser.id, username: benUser.username }]);
    ann.socket.disconnect();
  });
}

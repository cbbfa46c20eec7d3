// sync: a device says where it stood and gets everything since, over all its conversations, in pages.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  TRANSPORTS,
  assertMessage,
  closeAll,
  connect,
  fails,
  ok,
  register,
  send,
  startServer,
} from './server.mjs';

let server, ann, bob, cat, socket, left, right;

before(async () => (server = await startServer()));
beforeEach(async () => {
  closeAll();
  [ann, bob, cat] = await Promise.all([register(server.url), register(server.url), register(server.url)]);
  [socket, left, right] = await Promise.all([ann, bob, cat].map((user) => connect(server.url, user.token, TRANSPORTS.websocket)));
});
after(async () => {
  closeAll();
  await server.stop();
});

const now = async (on) => {
  const page = await ok(on, 'sync', {});
  assert.deepEqual(Object.keys(page).sort(), ['complete', 'cursor', 'events', 'ok']);
  assert.deepEqual([page.events, page.complete], [[], true]);
  return page.cursor;
};

/** A whole walk: the messages, and the cursor of its end. */
async function catchUp(on, since, limit) {
  const messages = [];
  for (let cursor = since; ; ) {
    const page = await ok(on, 'sync', { since: cursor, ...(limit && { limit }) });
    assert.ok(page.events.length <= (limit ?? 100), `${page.events.length} events`);
    for (const event of page.events) {
      assert.deepEqual(Object.keys(event).sort(), ['message', 'type']);
      assert.equal(event.type, 'message');
      assertMessage(event.message);
      messages.push(event.message);
    }
    cursor = page.cursor;
    if (page.complete) {
      assert.equal(new Set(messages.map((message) => message.id)).size, messages.length, 'each once a walk');
      return { messages, cursor };
    }
  }
}

const byId = (messages) => new Map(messages.map((message) => [message.id, message]));

test('an offline device gets all that it missed, in any conversation, as it is now', async () => {
  const old = await send(left, ann.user.id, 'old');
  const since = await now(socket);
  socket.disconnect();
  const fromBob = [];
  for (let n = 0; n < 7; n += 1) fromBob.push(await send(left, ann.user.id, `bob ${n}`));
  const fromCat = await send(right, ann.user.id, 'cat');
  const phone = await connect(server.url, ann.token, TRANSPORTS.websocket);
  const mine = await send(phone, cat.user.id, 'from another device');
  const edited = (await ok(left, 'edit_message', { messageId: old.id, message: 'old, edited' })).message;
  await ok(left, 'delete_message', { messageId: fromBob[1].id });
  await ok(phone, 'message_read', { messageId: fromBob[2].id });
  await ok(right, 'message_delivered', { messageId: mine.id });
  await send(left, cat.user.id, 'not for ann');

  const again = await connect(server.url, ann.token, TRANSPORTS.polling);
  for (const limit of [undefined, 1, 3, 500]) {
    const met = byId((await catchUp(again, since, limit)).messages);
    for (const message of [...fromBob, fromCat, mine]) assert.ok(met.has(message.id), message.message);
    assert.ok(met.get(old.id).isRead, 'edited, then read with those after it');
    assert.deepEqual([met.get(old.id).message, met.get(old.id).editedAt], [edited.message, edited.editedAt]);
    assert.deepEqual([met.get(fromBob[1].id).message, Boolean(met.get(fromBob[1].id).deletedAt)], ['', true]);
    assert.deepEqual([2, 3].map((n) => met.get(fromBob[n].id).isRead), [true, false]);
    assert.ok(met.get(mine.id).deliveredAt);
    for (const message of met.values()) {
      assert.ok([message.senderId, message.receiverId].includes(ann.user.id), 'nothing of others');
    }
  }
});

test('missed messages come in the order of their numbers, page by page, and the next walk has what came since', async () => {
  const since = await now(socket);
  const sent = [];
  for (let n = 0; n < 60; n += 1) sent.push(await send(n % 3 ? left : right, ann.user.id, `m${n}`));
  const { messages, cursor } = await catchUp(socket, since, 7);
  assert.equal(messages.length, 60);
  for (const user of [bob, cat]) {
    const seqs = messages.filter((message) => message.senderId === user.user.id).map((message) => message.seq);
    assert.deepEqual(seqs, seqs.map((_, index) => index + 1));
  }
  const later = await send(left, ann.user.id, 'later');
  assert.ok(byId((await catchUp(socket, cursor)).messages).has(later.id));
});

test('a cursor is good after a restart of the server', async () => {
  const since = await now(socket);
  const sent = await send(left, ann.user.id, 'before');
  closeAll();
  await server.restart();
  [socket, left] = await Promise.all([ann, bob].map((user) => connect(server.url, user.token)));
  const after = await send(left, ann.user.id, 'after');
  const met = byId((await catchUp(socket, since)).messages);
  assert.ok(met.has(sent.id) && met.has(after.id));
});

test("a broken cursor and somebody else's are refused with the advice to start over, and the socket lives on", async () => {
  const foreign = await now(left);
  const own = await now(socket);
  for (const since of ['', 'rubbish', foreign, `${own}x`, own.slice(0, -2), 'A'.repeat(5_000)]) {
    const error = await fails(socket, 'sync', { since }, 'invalid_input', 'since');
    assert.match(error.details, /sync without it/);
  }
  await fails(socket, 'sync', { since: 7 }, 'invalid_input', 'since');
  for (const limit of [0, 501, 'many']) await fails(socket, 'sync', { limit }, 'invalid_input', 'limit');
  assert.ok(await now(socket));
  assert.equal((await ok(socket, 'sync', null)).complete, true, 'who has no cursor may send nothing');
});

test('1,000 missed messages are complete', { timeout: 120_000 }, async () => {
  const since = await now(socket);
  socket.disconnect();
  const count = server.url && process.env.STORE === 'mongo' ? 300 : 1_000;
  await Promise.all(Array.from({ length: count }, (_, n) => send(left, ann.user.id, `m${n}`)));
  const again = await connect(server.url, ann.token, TRANSPORTS.websocket);
  const { messages } = await catchUp(again, since, 500);
  assert.deepEqual(messages.map((message) => message.seq), Array.from({ length: count }, (_, n) => n + 1));
});

test('a walk that is cut short goes on over the next link, and what came between is not left out', async () => {
  const since = await now(socket);
  const sent = [];
  for (let n = 0; n < 3; n += 1) sent.push(await send(left, ann.user.id, `before ${n}`));
  const first = await ok(socket, 'sync', { since, limit: 1 });
  assert.deepEqual([first.events.map(({ message }) => message.id), first.complete], [[sent[0].id], false]);
  socket.disconnect();
  sent.push(await send(right, ann.user.id, 'while nobody was there'));
  const again = await connect(server.url, ann.token, TRANSPORTS.websocket);
  const met = new Set([sent[0].id]);
  for (let page = first; !page.complete; ) {
    page = await ok(again, 'sync', { since: page.cursor, limit: 2 });
    page.events.forEach(({ message }) => met.add(message.id));
  }
  assert.deepEqual([...met].sort(), sent.map((message) => message.id).sort());
});

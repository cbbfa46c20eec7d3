// The helper for front-end teams (web/chat-client, built by `make`) against the real server.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { io } from 'socket.io-client';
import { ChatClient, memoryStorage, tickOf } from '../../web/chat-client/dist/index.js';
import { REMOTE, STORE, closeAll, connect, killAll, register, send, startServer, until } from './server.mjs';

const open = [];

afterEach(() => {
  for (const client of open.splice(0)) client.close();
  closeAll();
  killAll();
});

/** One run of somebody's application: what it stores outlives it in `storage`. */
async function client(server, person, storage = memoryStorage()) {
  const socket = io(server.url, { auth: { token: person.token }, autoConnect: false, forceNew: true });
  const chat = new ChatClient(socket, { userId: person.user.id, storage });
  open.push(chat);
  return { chat, socket, storage, online: () => new Promise((done) => (chat.on('synced', done), chat.connect())) };
}

/**
 * Asks again, as an application may, while there is no answer in time: the MongoDB-wire server of the tests may take longer
 * for hundreds of marks than the helper waits, and the server under test is told to bear with it.
 */
async function insist(ask) {
  for (let tries = 1; ; tries += 1) {
    const refusal = await ask().then(
      () => null,
      (error) => error,
    );
    if (refusal === null) return;
    if (tries >= 5 || !['silent', 'unavailable'].includes(refusal.code)) throw refusal;
  }
}

const texts = (chat, other) => chat.conversation(other.user.id).messages.map(({ message }) => message);
const count = (from, to, word) => Array.from({ length: to - from + 1 }, (_, i) => `${word} ${from + i}`);

// More than a page of a walk; each mark costs what stands in for MongoDB some ten milliseconds.
const MISSED = STORE === 'mongo' ? 300 : 1_000;

test('a device that missed hundreds of messages, an edit and a deletion has them all, in order', async () => {
  const server = await startServer({ env: { RATE_LIMITS: 'off' } });
  const [ann, bob] = [await register(server.url), await register(server.url)];
  const [a, b] = [await client(server, ann), await client(server, bob)];
  await Promise.all([a.online(), b.online()]);
  for (const text of count(1, 20, 'seen')) a.chat.send(bob.user.id, text);
  await until('Bob has the first ones', () => texts(b.chat, ann).length === 20);
  await b.chat.load(ann.user.id);
  const mine = () => a.chat.conversation(bob.user.id).messages;
  await until('they are ticked as delivered', () => mine().every((message) => tickOf(message) === 'delivered'));

  b.socket.disconnect();
  const sender = await connect(server.url, ann.token);
  await Promise.all(count(1, MISSED, 'missed').map((text) => send(sender, bob.user.id, text)));
  await a.chat.edit(mine()[5].id, 'edited');
  await a.chat.delete(mine()[6].id);
  await b.online();
  const expected = [...count(1, 20, 'seen'), ...count(1, MISSED, 'missed')];
  expected.splice(5, 2, 'edited', '');
  assert.deepEqual(texts(b.chat, ann), expected);
  await until('the newest is ticked as delivered', () => tickOf(mine().at(-1)) === 'delivered', 60_000);
  await insist(() => b.chat.markRead(b.chat.conversation(ann.user.id).messages.at(-1).id));
  await until('all are ticked as read', () => mine().every((m) => m.deletedAt !== undefined || tickOf(m) === 'read'));
  await server.stop();
});

test('a queue outlives a killed server and a reload, and comes once and in order', { skip: REMOTE !== undefined }, async () => {
  const server = await startServer();
  const [ann, bob] = [await register(server.url), await register(server.url)];
  const [a, b] = [await client(server, ann), await client(server, bob)];
  await Promise.all([a.online(), b.online()]);
  for (const text of count(1, 30, 'queued')) a.chat.send(bob.user.id, text);
  await until('some are through', () => texts(b.chat, ann).length > 2);
  await server.kill();
  a.chat.close();
  const again = await client(server, ann, a.storage);
  await server.start();
  await again.online();
  await until('the queue is empty', () => again.chat.queuedFor().length === 0);
  await until('Bob has them all', () => texts(b.chat, ann).length === 30);
  assert.deepEqual(texts(b.chat, ann), count(1, 30, 'queued'));
  await server.stop();
});

test('a cursor that the server does not know is begun anew', async () => {
  const server = await startServer();
  const ann = await register(server.url);
  const storage = memoryStorage();
  storage.set(`chat.${ann.user.id}.cursor`, 'not a cursor');
  const { chat, online } = await client(server, ann, storage);
  let resets = 0;
  chat.on('reset', () => (resets += 1));
  await online();
  assert.equal(resets, 1);
  assert.notEqual(storage.get(`chat.${ann.user.id}.cursor`), 'not a cursor');
  await server.stop();
});

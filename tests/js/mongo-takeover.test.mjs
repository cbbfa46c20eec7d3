// A database that a Node application has filled through mongoose is taken over in place, and that application goes on.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  TRANSPORTS,
  assertError,
  assertUser,
  closeAll,
  connect,
  login,
  newDatabase,
  nextEvent,
  ok,
  onlyMongo,
  rest,
  runCommand,
  send,
  signToken,
  startServer,
  wholeConversation,
  withMongoose,
} from './server.mjs';

const SCRIPT = fileURLToPath(new URL('older-application.mjs', import.meta.url));
const skip = onlyMongo('there is no older application on the embedded store');

/** Runs the older application: what it printed. */
async function olderApplication(does, uri) {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, does, uri], { maxBuffer: 64 << 20 });
  return JSON.parse(stdout);
}

/** All documents of the two collections, by id. */
const snapshot = (uri) =>
  withMongoose(uri, async (connection) => {
    const documents = {};
    for (const name of ['users', 'messages']) {
      for (const document of await connection.collection(name).find().toArray()) documents[document._id] = document;
    }
    return documents;
  });

/** Every field that `older` has stands in `newer`, unchanged. */
function assertOnlyAdded(older, newer) {
  for (const [id, document] of Object.entries(older)) {
    const now = newer[id];
    assert.ok(now, `document ${id} is gone`);
    assert.deepEqual(Object.fromEntries(Object.keys(document).map((key) => [key, now[key]])), document);
  }
}

describe('a database of an older application', { skip, timeout: 300_000 }, () => {
  let uri;
  let filled;
  let older;
  let who;
  /** How many messages ann and bob had written each other. */
  let talked;
  let server;

  const migrate = async (...options) => {
    const { code, log } = await runCommand(['migrate', ...options], { env: { MONGODB_URI: uri }, timeout: 60_000 });
    assert.equal(code, 0, log);
    return log;
  };
  const tokenOf = async (name) => {
    const { email, password } = who[name];
    const answer = await login(server.url, { email, password });
    assert.equal(answer.status, 200, `${name}: ${answer.text}`);
    return answer.json.token;
  };
  const page = async (token, other, query = '') => {
    const answer = await rest(server.url, 'GET', `/api/chat/history/${other}${query}`, { token });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };

  before(async () => {
    uri = await newDatabase();
    filled = await olderApplication('fill', uri);
    who = Object.fromEntries(filled.accounts.map((account) => [account.name, account]));
    talked = filled.talks[0][2];
    older = await snapshot(uri);
  });
  after(async () => {
    closeAll();
    await server?.stop();
  });

  test('migrate --status and --dry-run tell what is to be done, and change nothing', async () => {
    assert.match(await migrate('--status'), /pending/i);
    const plan = await migrate('--dry-run');
    assert.match(plan, new RegExp(`\\b${filled.messages}\\b|\\b${filled.messages - 1}\\b`), plan);
    assert.deepEqual(await snapshot(uri), older);
    const indexes = await withMongoose(uri, (connection) => connection.collection('messages').indexes());
    assert.deepEqual(indexes.map(({ name }) => name).sort(), ['_id_', 'sender_1_receiver_1_timestamp_-1']);
  });

  test('the server takes it over when it starts, and only adds', async () => {
    server = await startServer({ env: { MONGODB_URI: uri, PRESENCE_GRACE_MS: '100', LOG_LEVEL: 'info' } });
    const newer = await snapshot(uri);
    assert.equal(Object.keys(newer).length, Object.keys(older).length);
    assertOnlyAdded(older, newer);
    assert.doesNotMatch(await migrate('--status'), /pending/i);
  });

  test('names that differ by case only are reported', () => {
    const line = server.log().split('\n').find((text) => /sam/i.test(text) || text.includes(who.secondSam.id));
    assert.ok(line, server.log());
    assert.doesNotMatch(server.log(), /@example\.org/, 'no address is logged');
  });

  test('old users log in with their old passwords, whatever they look like', async () => {
    for (const { username, email, password, id } of filled.accounts) {
      for (const key of [{ username }, { email }]) {
        const answer = await login(server.url, { ...key, password });
        assert.equal(answer.status, 200, `${username}: ${answer.text}`);
        assertUser(answer.json.user, { profile: true, id, username, email });
        assert.equal((await login(server.url, { ...key, password: `x${password}` })).status, 401);
      }
    }
    // bcrypt has always looked at the first 72 bytes only.
    const { email, password } = who.cid;
    assert.equal((await login(server.url, { email, password: password.slice(0, 72) })).status, 200);
    assert.equal((await login(server.url, { email, password: password.slice(0, 71) })).status, 401);
  });

  test('of names that differ by case each logs in by its own, and the older one by any other', async () => {
    const { firstSam, secondSam } = who;
    for (const [key, whose, other] of [
      [{ username: 'Sam' }, firstSam, secondSam],
      [{ username: 'sam' }, secondSam, firstSam],
      [{ username: 'SAM' }, firstSam, secondSam],
      [{ email: 'Sam@example.org' }, firstSam, secondSam],
      [{ email: 'sam@example.org' }, secondSam, firstSam],
      [{ email: 'SAM@EXAMPLE.ORG' }, firstSam, secondSam],
    ]) {
      const answer = await login(server.url, { ...key, password: whose.password });
      assert.equal(answer.status, 200, JSON.stringify(key));
      assert.equal(answer.json.user.id, whose.id);
      assert.equal((await login(server.url, { ...key, password: other.password })).status, 401);
    }
    const taken = { username: 'SAM', email: 'another@example.org', password: 'correct horse' };
    assertError((await rest(server.url, 'POST', '/api/auth/register', { body: taken })).json, 'conflict');
  });

  test('tokens that the older application signed are accepted', async () => {
    const { id, username } = who.ann;
    for (const claims of [{ userId: id }, { id }, { _id: id }, { sub: id }, { userId: id, username, role: 'user' }]) {
      const answer = await rest(server.url, 'GET', '/api/auth/profile', { token: signToken(claims) });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.json.user.username, username);
    }
    const foreign = signToken({ userId: id }, { secret: 'the secret of somebody else entirely' });
    assert.equal((await rest(server.url, 'GET', '/api/auth/profile', { token: foreign })).status, 401);
  });

  test('history comes in the order of its times, numbered without gaps', async () => {
    for (const [from, to, count] of filled.talks) {
      const [left, right] = [who[from], who[to]];
      const messages = await wholeConversation(server.url, signToken({ userId: left.id }), right.id);
      assert.deepEqual(messages.map((message) => message.seq), Array.from({ length: count }, (_, n) => n + 1));
      const expected = Object.values(older)
        .filter(({ sender, receiver }) => [left.id, right.id].sort().join() === [sender, receiver].map(String).sort().join())
        .sort((a, b) => a.timestamp - b.timestamp || (String(a._id) < String(b._id) ? -1 : 1));
      assert.deepEqual(
        messages.map(({ id, senderId, message, isRead, timestamp }) => [id, senderId, message, isRead, timestamp]),
        expected.map((m) => [String(m._id), String(m.sender), m.message, m.isRead, m.timestamp.toISOString()]),
      );
      for (const { readAt, timestamp, isRead } of messages) assert.equal(readAt, isRead ? timestamp : undefined);
    }
  });

  test('documents with holes, and longer than today\'s limits, are served', async () => {
    const token = await tokenOf('bare');
    const { messages } = await page(token, who.ann.id);
    assert.deepEqual(messages.map(({ message }) => message).sort(), ['nobody noted whether this was read', 'nor when this was']);
    assert.equal(messages.find(({ message }) => message.startsWith('nobody')).isRead, false);
    const long = (await page(token, who.cid.id)).messages;
    assert.deepEqual(long.map(({ message }) => message.length), [9_000]);
    const profile = await rest(server.url, 'GET', '/api/auth/profile', { token });
    assertUser(profile.json.user, { profile: true, id: who.bare.id, isOnline: false });
  });

  test('the list of conversations and what is unread come right', async () => {
    const list = async (name) => {
      const answer = await rest(server.url, 'GET', '/api/chat/conversations', { token: signToken({ userId: who[name].id }) });
      assert.equal(answer.status, 200, answer.text);
      return Object.fromEntries(answer.json.conversations.map(({ user, ...rest_ }) => [user.id, rest_]));
    };
    const unread = (reader, writer) =>
      Object.values(older).filter(
        (m) => String(m.receiver) === who[reader].id && String(m.sender) === who[writer].id && !m.isRead,
      ).length;
    for (const [reader, writers] of Object.entries({ ann: ['bob', 'cid', 'bare'], bob: ['ann', 'cid'], cid: ['ann', 'bob'] })) {
      const found = await list(reader);
      for (const writer of writers) {
        const row = found[who[writer].id];
        assert.ok(row, `${reader} has no conversation with ${writer}`);
        assert.equal(row.unreadCount, Math.min(100, unread(reader, writer)), `${reader} and ${writer}`);
      }
    }
    assert.equal((await list('ann'))[who.cid.id].unreadCount, 100, 'no count goes past 100');
    assert.equal((await list('ann'))[who.bob.id].lastMessage.message, `ann bob ${talked - 1}`);
  });

  test('new messages go on where the old ones ended, and are delivered', async () => {
    const [ann, bob] = await Promise.all(
      ['ann', 'bob'].map(async (name) => connect(server.url, await tokenOf(name), TRANSPORTS.websocket)),
    );
    for (let n = 1; n <= 3; n += 1) {
      const message = await send(ann, who.bob.id, `new ${n}`, { clientId: `new-${n}` });
      assert.equal(message.seq, talked + n);
      assert.deepEqual(await nextEvent(bob, 'private_message'), message);
    }
    assert.equal((await send(ann, who.bob.id, 'new 2', { clientId: 'new-2' })).seq, talked + 2, 'a repeat is the same message');
    const { count } = await ok(bob, 'message_read', { messageId: (await page(await tokenOf('bob'), who.ann.id)).messages.at(-1).id });
    assert.equal(count, 4 + 3, 'what was unread before the take-over is read as well');
    closeAll();
  });

  test('the older application still reads everything, what is new included', async () => {
    const { users, messages } = await olderApplication('read', uri);
    assert.equal(users.length, filled.accounts.length);
    for (const { id, username, email } of filled.accounts) {
      assert.deepEqual([username, email], (({ username: u, email: e }) => [u, e])(users.find(({ _id }) => _id === id)));
    }
    assert.equal(messages.length, filled.messages + 3);
    const fresh = messages.filter(({ message }) => /^new \d$/.test(message));
    assert.deepEqual(fresh.map(({ message }) => message), ['new 1', 'new 2', 'new 3']);
    for (const { sender, receiver, isRead } of fresh) assert.deepEqual([sender, receiver, isRead], ['ann', who.bob.id, true]);
  });

  test('what the older application goes on to write is picked up by migrating again, the server running', async () => {
    const token = await tokenOf('ann');
    const written = await olderApplication('write', uri);
    const said = await migrate();
    assert.match(said, new RegExp(`\\b${written.messages.length}\\b`), said);
    const messages = await wholeConversation(server.url, token, who.bob.id);
    assert.deepEqual(messages.map((message) => message.seq), Array.from({ length: talked + 3 + 12 }, (_, n) => n + 1));
    assert.deepEqual(messages.slice(-12).map(({ id }) => id), written.messages);

    const bob = await connect(server.url, await tokenOf('bob'), TRANSPORTS.websocket);
    const next = await send(bob, who.ann.id, 'after both');
    assert.equal(next.seq, talked + 3 + 12 + 1, 'the running server has seen the numbers that were given meanwhile');
    const late = await login(server.url, { username: 'LATE', password: 'late but old' });
    assert.equal(late.status, 200, late.text);
    assert.equal(late.json.user.id, written.late);
    closeAll();
  });

  test('migrating once more, and starting once more, finds nothing to do', async () => {
    const before_ = await snapshot(uri);
    await migrate();
    await server.restart();
    const now = await snapshot(uri);
    for (const documents of [before_, now]) {
      // Presence is written whenever the server likes.
      for (const document of Object.values(documents)) for (const key of ['isOnline', 'lastSeen']) delete document[key];
    }
    assert.deepEqual(now, before_);
    assert.equal(await server.stop(), 0);
    server = undefined;
  });
});

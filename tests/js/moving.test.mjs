// export and import: a store is moved into a file and into a store of the other kind, and is the same there.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  JWT_SECRET,
  SERVER_BIN,
  TRANSPORTS,
  closeAll,
  connect,
  killAll,
  login,
  newDatabase,
  ok,
  onlyMongo,
  registerMany,
  rest,
  runCommand,
  send,
  startServer,
  temporaryFolder,
  until,
  wholeConversation,
  withMongoose,
} from './server.mjs';

const skip = onlyMongo('both stores take part, so it is tested in the run on MongoDB');
const OLDER = fileURLToPath(new URL('older-application.mjs', import.meta.url));
const folder = temporaryFolder();
const file = (name) => join(folder, name);
after(killAll);

/** Settings of a store: an embedded one in a new folder, or a new database. */
const embedded = () => ({ DATA_DIR: join(temporaryFolder(), 'data'), MONGODB_URI: undefined });
const mongo = async () => ({ DATA_DIR: join(temporaryFolder(), 'data'), MONGODB_URI: await newDatabase() });

/** Runs a command to its success: what it printed. */
async function moves(args, env) {
  const { code, log } = await runCommand(args, { env, timeout: 120_000 });
  assert.equal(code, 0, log);
  return log;
}

/** Runs a command that must fail with 1: its one line. */
async function refuses(args, env) {
  const { code, log } = await runCommand(args, { env, timeout: 120_000 });
  const line = log.trim().split('\n').at(-1);
  assert.equal(code, 1, log);
  assert.match(line, /^chat-server: /);
  return line;
}

/** The lines of users and messages. */
const content = (name) => readFileSync(file(name), 'utf8').trimEnd().split('\n').slice(1, -1);

/** Starts a command and kills it as soon as something can be seen; whether that came before its end. */
async function killed(args, env, seen) {
  const settings = { PATH: process.env.PATH, JWT_SECRET, LOG_LEVEL: 'warn', ...env };
  const child = spawn(SERVER_BIN, args, {
    cwd: temporaryFolder(),
    stdio: 'ignore',
    env: Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)),
  });
  let ended = false;
  const gone = new Promise((done) => child.once('close', (code) => ((ended = true), done(code))));
  await until('something can be seen of it', async () => ended || (await seen()), 60_000);
  child.kill('SIGKILL');
  return (await gone) === null;
}

const size = (path) => (existsSync(path) ? statSync(path).size : 0);

/** What a user sees: conversations, and every message of each. */
async function seenBy(url, { username, password }) {
  const session = await login(url, { username, password });
  assert.equal(session.status, 200, `${username}: ${session.text}`);
  const { token } = session.json;
  const list = await rest(url, 'GET', '/api/chat/conversations?limit=100', { token });
  const talks = {};
  for (const { user, unreadCount } of list.json.conversations) {
    // Who has left can't be asked about; what they wrote is still listed.
    const messages = user.username === 'deleted' ? [] : await wholeConversation(url, token, user.id);
    talks[user.id] = { unreadCount, messages };
  }
  return { id: session.json.user.id, order: list.json.conversations.map(({ user }) => user.id), talks };
}

/** What all of them see of a store, on a server that runs for it. */
async function seen(env, people) {
  const server = await startServer({ env });
  const views = [];
  for (const person of people) views.push(await seenBy(server.url, person));
  await server.stop();
  return views;
}

/** Three people who have used a server: 150 messages, some read, some with names of their clients' own. */
async function use(env) {
  const server = await startServer({ env });
  const people = (await registerMany(server.url, 3)).map((person) => ({ ...person, username: person.user.username }));
  const sockets = await Promise.all(people.map(({ token }) => connect(server.url, token, TRANSPORTS.websocket)));
  for (let n = 0; n < 150; n += 1) {
    const [from, to] = [n % 3, (n % 3) + (n % 2 ? 1 : 2)].map((at) => at % 3);
    const more = n % 5 ? {} : { clientId: `name-${n}` };
    const text = `${n} "quoted"\n\u2028 👩‍👩‍👧 ${'long '.repeat(n)}`;
    const message = await send(sockets[from], people[to].user.id, text, more);
    if (n % 7 === 0) await ok(sockets[to], 'message_read', { messageId: message.id });
  }
  closeAll();
  await server.stop();
  return people;
}

describe('a store is moved', { skip, timeout: 300_000 }, () => {
  const from = embedded();
  let people;

  test('from the embedded store to MongoDB and back, with passwords, histories and names of messages', async () => {
    people = await use(from);
    const before = await seen(from, people);
    assert.match(await moves(['export', file('a')], from), /exported 3 users and 150 messages/);
    assert.equal(statSync(file('a')).mode & 0o777, 0o600);

    const database = await mongo();
    assert.match(await moves(['import', file('a')], database), /imported 3 users and 150 messages/);
    await moves(['export', file('b')], database);
    assert.deepEqual(content('b'), content('a'));
    assert.deepEqual(await seen(database, people), before);

    const back = embedded();
    await moves(['import', file('b')], back);
    await moves(['export', file('c')], back);
    assert.deepEqual(content('c'), content('a'));
    assert.deepEqual(await seen(back, people), before);

    // It goes on there: a name that was used is known, and numbers go on.
    const server = await startServer({ env: database });
    const [ann, bob] = people;
    const socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
    const named = before[0].talks[bob.user.id].messages.find((one) => one.clientId && one.senderId === ann.user.id);
    const again = await send(socket, bob.user.id, named.message, { clientId: named.clientId });
    assert.deepEqual(again, named);
    const next = await send(socket, bob.user.id, 'after the move');
    assert.equal(next.seq, before[0].talks[bob.user.id].messages.length + 1);
    closeAll();
    await server.stop();
  });

  test('not while a server runs on the folder, not over a file, not into a store that holds something', async () => {
    const server = await startServer({ env: from });
    assert.match(await refuses(['export', file('running')], from), /locked: another process/);
    assert.match(await refuses(['import', file('a')], from), /locked: another process/);
    await server.stop();
    assert.match(await refuses(['export', file('a')], from), /exists already/);
    const other = embedded();
    await use(other);
    assert.match(await refuses(['import', file('a')], other), /holds 3 users and 150 messages .* empty store/);
    assert.match(await refuses(['export', file('none')], embedded()), /there is no store/);
  });

  test('not from a damaged file: nothing is changed then', async () => {
    const text = readFileSync(file('a'), 'utf8');
    const broken = { cut: text.slice(0, -200), bit: text.replace('"quoted\\"', '"Quoted\\"') };
    for (const [name, damaged] of Object.entries(broken)) {
      writeFileSync(file(name), damaged);
      const to = embedded();
      const line = await refuses(['import', file(name)], to);
      assert.match(line, /is damaged: .* \(line \d+\)$/);
      assert.doesNotMatch(line, /quoted/i, 'nothing of the content is told');
      assert.match(await moves(['export', file(`after-${name}`)], to), /exported 0 users and 0 messages/);
    }
  });
});

/** An archive as the documentation describes it, with two users who have written each other so much. */
function archive(name, count) {
  const id = (kind, n) => `${kind}${String(n).padStart(22, '0')}`;
  const users = [1, 2].map((n) => ({
    id: id('aa', n), username: `user${n}`, email: `user${n}@example.org`, password: '$2b$04$none',
    isOnline: false, lastSeen: null, createdAt: 1, updatedAt: 2,
  }));
  const message = (_, n) => ({
    id: id('bb', n), seq: n + 1, sender: users[n % 2].id, receiver: users[(n + 1) % 2].id, text: `number ${n}`,
    timestamp: n, ...(n % 3 ? {} : { readAt: n + 5 }), ...(n % 4 ? {} : { clientId: `c${n}` }),
  });
  const messages = Array.from({ length: count }, message);
  const line = (value) => `${JSON.stringify(value)}\n`;
  const head = line({ archive: { version: 1, exportedAt: 5, source: 'embedded' } });
  const body = [...users.map((user) => line({ user })), ...messages.map((each) => line({ message: each }))].join('');
  const hash = (text) => createHash('sha256').update(text).digest('hex');
  const end = { users: 2, messages: count, content: hash(body), sha256: hash(head + body) };
  writeFileSync(file(name), head + body + line({ end }));
}

describe('kill -9 on the way', { skip, timeout: 300_000 }, () => {
  const to = embedded();

  test('an import goes on where it stopped', async () => {
    archive('long', 30_000);
    const log = join(to.DATA_DIR, 'log.db-wal');
    assert.ok(await killed(['import', file('long')], to, () => size(log) > 1_500_000), 'it was killed in the middle');
    assert.match(await moves(['import', file('long')], to), /30000 messages .* messages of them by an earlier try/);
  });

  test('an export goes on where it stopped, and is the same file', async () => {
    const partial = file('again.partial');
    assert.ok(await killed(['export', file('again')], to, () => size(partial) > 1_000_000), 'it was killed in the middle');
    assert.ok(!existsSync(file('again')));
    assert.match(await moves(['export', file('again')], to), /30000 messages .* messages of them by an earlier try/);
    assert.deepEqual(content('again'), content('long'));
    assert.ok(!existsSync(partial));
  });

  test('an import into MongoDB goes on where it stopped', async () => {
    archive('short', 400);
    const database = await mongo();
    const some = () =>
      withMongoose(database.MONGODB_URI, (connection) => connection.collection('messages').estimatedDocumentCount());
    await killed(['import', file('short')], database, some);
    assert.match(await moves(['import', file('short')], database), /imported 2 users and 400 messages/);
    await moves(['export', file('from-mongo')], database);
    assert.deepEqual(content('from-mongo'), content('short'));
  });
});

test('what an older application has filled moves to the embedded store', { skip, timeout: 300_000 }, async () => {
  const database = await mongo();
  const { stdout } = await promisify(execFile)(process.execPath, [OLDER, 'fill', database.MONGODB_URI]);
  const { accounts, messages } = JSON.parse(stdout);
  await moves(['export', file('older')], database);

  const to = embedded();
  const line = await refuses(['import', file('older')], to);
  const sams = accounts.filter(({ name }) => name.endsWith('Sam'));
  for (const { id, username } of sams) assert.ok(line.includes(`${id} "${username}"`), line);
  assert.doesNotMatch(line, /@/, 'no address is told');

  await withMongoose(database.MONGODB_URI, (connection) =>
    connection.collection('users').updateOne({ username: 'sam' }, { $set: { username: 'sam2', email: 'sam2@example.org' } }),
  );
  await moves(['export', file('renamed')], database);
  assert.match(await moves(['import', file('renamed')], to), new RegExp(`6 users and ${messages} messages`));
  const people = accounts.map((person) => (person.username === 'sam' ? { ...person, username: 'sam2' } : person));
  assert.deepEqual(await seen(to, people), await seen(database, people));
});

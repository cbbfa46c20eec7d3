// MongoDB absent, killed, stopped, restarted, wrongly named: what clients and operators see of it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  TRANSPORTS,
  assertComplete,
  assertError,
  closeAll,
  connect,
  emitAck,
  killAll,
  mongoServer,
  newDatabase,
  nextEvent,
  ok,
  onlyMongo,
  pending,
  register,
  rest,
  runCommand,
  send,
  startServer,
  temporaryFolder,
  until,
  wholeConversation,
} from './server.mjs';

const skip = onlyMongo('this is about its faults');
const DEADLINE_MS = 5_000;
/** What a loaded machine may add to a deadline. */
const SLACK_MS = 2_500;

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const isReady = async (server) => (await rest(server.url, 'GET', '/ready')).status === 200;
const lines = (server, what) => server.log().split('\n').filter((line) => what.test(line));
const AWAY = /MongoDB is away/;
const BACK = /MongoDB is back/;

/** Two users who write to each other, and what they were told. */
async function makePair(server) {
  const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
  return { server, ann, bob, acknowledged: [], open: new Set(), written: 0 };
}

async function connectPair({ server, ann, bob }) {
  return Promise.all([ann, bob].map(({ token }) => connect(server.url, token, TRANSPORTS.websocket)));
}

/** Sends under a `clientId`: the acknowledgement, and how long it took. */
async function attempt(pair, socket, clientId = `c${(pair.written += 1)}`) {
  const began = Date.now();
  pair.open.add(clientId);
  const ack = await emitAck(socket, 'private_message', { receiverId: pair.bob.user.id, message: `text of ${clientId}`, clientId });
  if (ack.ok) {
    pair.open.delete(clientId);
    pair.acknowledged.push(ack.message);
  }
  return { ack, took: Date.now() - began };
}

/** Sends what has no known outcome again, until each has one. */
async function settle(pair, socket) {
  for (const clientId of [...pair.open]) {
    await until(`${clientId} is stored`, async () => (await attempt(pair, socket, clientId)).ack.ok);
  }
}

/** Nothing acknowledged is lost, nothing stands twice, and the receiver saw each message once at most. */
async function assertSound(pair, receiver) {
  const messages = await wholeConversation(pair.server.url, pair.ann.token, pair.bob.user.id);
  assertComplete(messages, pair.acknowledged);
  const delivered = pending(receiver, 'private_message').map(({ id }) => id);
  assert.equal(new Set(delivered).size, delivered.length, 'a message was delivered twice');
  return { messages, delivered };
}

describe('MongoDB', { skip, timeout: 300_000 }, () => {
  let mongo;
  let uri;

  beforeEach(async () => {
    mongo = await mongoServer();
    uri = mongo.uri();
  });
  afterEach(async () => {
    closeAll();
    await killAll();
    await mongo.kill();
  });
  const start = (options = {}) => {
    const env = { MONGODB_URI: uri, LOG_LEVEL: 'info', SEND_TIMEOUT_MS: String(DEADLINE_MS), ...options.env };
    return startServer({ ...options, env });
  };

  test('absent at the start: the server lives, says so once, and works when MongoDB appears', async () => {
    const server = await start({ readyStatus: 503 });
    assert.equal((await rest(server.url, 'GET', '/health')).status, 200);
    assert.notEqual((await rest(server.url, 'GET', '/ready')).json.checks.store, 'ok');
    const account = { username: 'early', email: 'early@example.org', password: 'correct horse' };
    const refusal = await rest(server.url, 'POST', '/api/auth/register', { body: account });
    assert.equal(refusal.status, 503, refusal.text);
    assertError(refusal.json, 'unavailable');
    assert.ok(Number(refusal.headers['retry-after']) >= 1);
    // Several tries, one line.
    await wait(4_000);
    assert.equal(lines(server, AWAY).length, 1, server.log());
    assert.equal(lines(server, /WARN|ERROR/).length, 1, server.log());

    await mongo.start();
    await until('the server is ready', () => isReady(server));
    assert.equal((await rest(server.url, 'POST', '/api/auth/register', { body: account })).status, 201);
    assert.equal(lines(server, AWAY).length, 1, server.log());
    assert.ok(lines(server, /is new/).length === 1, 'an empty database is announced as new');
    assert.equal(await server.stop(), 0);
  });

  test('absent until the end: SIGTERM ends the server all the same', async () => {
    const server = await start({ readyStatus: 503 });
    const began = Date.now();
    assert.equal(await server.stop(), 0);
    assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
  });

  test('killed and restarted: sends are refused in time, nothing is lost or doubled, and the server goes on', async () => {
    await mongo.start();
    const server = await start();
    const pair = await makePair(server);
    const [ann, bob] = await connectPair(pair);
    for (let n = 0; n < 5; n += 1) assert.ok((await attempt(pair, ann)).ack.ok);

    const sends = Array.from({ length: 8 }, () => attempt(pair, ann));
    await mongo.kill();
    sends.push(...Array.from({ length: 8 }, () => attempt(pair, ann)));
    for (const { ack, took } of await Promise.all(sends)) {
      if (!ack.ok) assertError(ack.error, 'unavailable');
      assert.ok(took < DEADLINE_MS + SLACK_MS, `answered after ${took} ms`);
    }
    await until('the server is not ready', async () => !(await isReady(server)));
    assert.equal((await rest(server.url, 'GET', '/health')).status, 200);
    for (const path of ['/api/users', `/api/chat/history/${pair.bob.user.id}`, '/api/chat/conversations']) {
      const answer = await rest(server.url, 'GET', path, { token: pair.ann.token });
      assert.equal(answer.status, 503, `${path}: ${answer.text}`);
      assertError(answer.json, 'unavailable');
    }
    assert.ok(ann.connected && bob.connected, 'sockets outlive an outage');
    // Sends refused one after another say nothing more.
    for (let n = 0; n < 5; n += 1) assert.ok(!(await attempt(pair, ann)).ack.ok);
    assert.equal(lines(server, AWAY).length, 1, server.log());

    await mongo.start();
    await until('the server is ready', () => isReady(server));
    await settle(pair, ann);
    assert.ok((await attempt(pair, ann)).ack.ok);
    await nextEvent(bob, 'private_message', ({ id }) => id === pair.acknowledged.at(-1).id);
    await assertSound(pair, bob);
    assert.equal(lines(server, AWAY).length, 1, server.log());
    assert.equal(lines(server, BACK).length, 1, server.log());
    closeAll();
    assert.equal(await server.stop(), 0);
  });

  test('stopped for ten seconds: sends are answered within the deadline, and a retry is safe', async () => {
    await mongo.start();
    const server = await start();
    const pair = await makePair(server);
    const [ann, bob] = await connectPair(pair);
    assert.ok((await attempt(pair, ann)).ack.ok);

    const stopped = Date.now();
    mongo.stop();
    const sends = [];
    while (Date.now() - stopped < 10_000) {
      sends.push(attempt(pair, ann));
      await wait(500);
    }
    mongo.resume();
    const answers = await Promise.all(sends);
    for (const { ack, took } of answers) {
      if (!ack.ok) assertError(ack.error, 'unavailable');
      assert.ok(took < DEADLINE_MS + SLACK_MS, `answered after ${took} ms`);
    }
    assert.ok(answers.some(({ ack }) => !ack.ok), 'nobody noticed');
    await until('the server is ready', () => isReady(server));
    await settle(pair, ann);
    assert.equal(pair.open.size, 0);
    assert.ok((await attempt(pair, ann)).ack.ok);
    await nextEvent(bob, 'private_message', ({ id }) => id === pair.acknowledged.at(-1).id);
    const { messages } = await assertSound(pair, bob);
    assert.equal(messages.length, pair.written, 'every clientId is one message');
    assert.ok(ann.connected && bob.connected, 'sockets outlive an outage');
    assert.ok(lines(server, AWAY).length <= 1, server.log());
    closeAll();
    assert.equal(await server.stop(), 0);
  });

  test('what was answered `unavailable` and stored all the same is delivered once, and read once', async () => {
    await mongo.start();
    const server = await start({ env: { SEND_TIMEOUT_MS: '3000' } });
    const pair = await makePair(server);
    const [ann, bob] = await connectPair(pair);
    assert.ok((await attempt(pair, ann)).ack.ok);
    mongo.stop();
    // These lie in the stopped server's buffers, and it carries them out when it goes on.
    const { ack, took } = await attempt(pair, ann);
    assert.ok(!ack.ok);
    assertError(ack.error, 'unavailable');
    assert.ok(took < 3_000 + SLACK_MS, `answered after ${took} ms`);
    mongo.resume();
    await until('the server is ready', () => isReady(server));
    await settle(pair, ann);
    assert.ok((await attempt(pair, ann)).ack.ok);
    await nextEvent(bob, 'private_message', ({ id }) => id === pair.acknowledged.at(-1).id);
    const { messages } = await assertSound(pair, bob);
    assert.equal(messages.length, 3);
    const { count } = await ok(bob, 'message_read', { messageId: messages.at(-1).id });
    assert.equal(count, 3);
    closeAll();
    assert.equal(await server.stop(), 0);
  });

  test('killed again and again under load: nothing acknowledged is lost, and the order has no gaps', async () => {
    await mongo.start();
    const server = await start();
    const pair = await makePair(server);
    const [ann, bob] = await connectPair(pair);
    for (let round = 0; round < 4; round += 1) {
      const target = pair.acknowledged.length + 40 + round * 17;
      let down = false;
      const writer = async () => {
        while (!down) await attempt(pair, ann);
      };
      const writers = Array.from({ length: 16 }, writer);
      await until('messages are stored', () => pair.acknowledged.length >= target);
      await mongo.kill();
      down = true;
      await Promise.all(writers);
      await mongo.start();
      await until('the server is ready', () => isReady(server));
      await settle(pair, ann);
      await assertSound(pair, bob);
    }
    const messages = await wholeConversation(server.url, pair.ann.token, pair.bob.user.id);
    assert.equal(messages.length, pair.written);
    closeAll();
    assert.equal(await server.stop(), 0);
  });

  test('killed before the server ends: what was acknowledged is there, and the end is in time', async () => {
    await mongo.start();
    const server = await start();
    const pair = await makePair(server);
    const [ann] = await connectPair(pair);
    for (let n = 0; n < 10; n += 1) await attempt(pair, ann);
    await mongo.kill();
    const began = Date.now();
    assert.equal(await server.stop(), 0);
    assert.ok(Date.now() - began < 12_000, `${Date.now() - began} ms`);
    await mongo.start();
    await server.start();
    assertComplete(await wholeConversation(server.url, pair.ann.token, pair.bob.user.id), pair.acknowledged);
    assert.equal(await server.stop(), 0);
  });

  test('two servers that start at once on a new database share it, and number one conversation without gaps', async () => {
    await mongo.start();
    const servers = await Promise.all([start(), start()]);
    const pair = await makePair(servers[0]);
    const sockets = await Promise.all(servers.map(({ url }) => connect(url, pair.ann.token, TRANSPORTS.websocket)));
    const sent = sockets.flatMap((socket, node) =>
      Array.from({ length: 60 }, (_, n) => send(socket, pair.bob.user.id, `node ${node} ${n}`, { clientId: `n${node}-${n}` })),
    );
    const acknowledged = await Promise.all(sent);
    for (const { url } of servers) {
      assertComplete(await wholeConversation(url, pair.ann.token, pair.bob.user.id), acknowledged);
    }
    // The same clientId on the other node is the same message.
    const again = await send(sockets[1], pair.bob.user.id, 'node 0 0', { clientId: 'n0-0' });
    assert.equal(again.id, acknowledged[0].id);
    closeAll();
    for (const server of servers) assert.equal(await server.stop(), 0);
  });
});

describe('a wrong MONGODB_URI', { skip }, () => {
  const WRONG = {
    'without a database': 'mongodb://someone:hidden@127.0.0.1:27017',
    'without a database, with a slash': 'mongodb://someone:hidden@127.0.0.1:27017/?w=1',
    'that is none': 'someone:hidden@127.0.0.1/chat',
    'of something else': 'postgres://someone:hidden@127.0.0.1/chat',
    'with a password that is not encoded': 'mongodb://someone:hid/den@127.0.0.1/chat',
    'without a host': 'mongodb:///hidden',
  };
  for (const [name, uri] of Object.entries(WRONG)) {
    test(`${name} ends it with one line that names the setting and no secret`, async () => {
      const { code, log } = await runCommand(['serve'], { env: { MONGODB_URI: uri } });
      assert.equal(code, 2, log);
      assert.equal(log.trim().split('\n').length, 1, log);
      assert.match(log, /MONGODB_URI/);
      assert.doesNotMatch(log, /hidden|hid\/den/);
    });
  }
});

describe('commands on MongoDB', { skip }, () => {
  let uri;
  afterEach(killAll);
  beforeEach(async () => (uri = await newDatabase()));

  test('wrong credentials end the server with one line that names the setting and no secret', async () => {
    const wrong = uri.replace(/^mongodb:\/\/([^@/]*@)?/, 'mongodb://someone:hidden@');
    for (const command of [['serve'], ['migrate', '--status']]) {
      const { code, log, signal } = await runCommand(command, { env: { MONGODB_URI: wrong }, timeout: 30_000 });
      assert.ok(code > 0, `${command}: ${code} ${signal} ${log}`);
      assert.equal(log.trim().split('\n').length, 1, log);
      assert.match(log, /MONGODB_URI/);
      assert.doesNotMatch(log, /hidden/);
    }
  });

  test('backup and restore say in one line that MongoDB has its own tools', async () => {
    const server = await startServer({ env: { MONGODB_URI: uri } });
    const env = { MONGODB_URI: uri, DATA_DIR: server.dataDir, PORT: String(server.port) };
    const { code, log } = await runCommand(['backup', join(temporaryFolder(), 'backup')], { env });
    assert.ok(code > 0, log);
    assert.equal(log.trim().split('\n').length, 1, log);
    assert.match(log, /MongoDB/);
    assert.equal(await server.stop(), 0);
  });

  test('an absent MongoDB fails a command in time, with one line', async () => {
    const absent = await mongoServer();
    const began = Date.now();
    const { code, log } = await runCommand(['migrate', '--status'], { env: { MONGODB_URI: absent.uri() }, timeout: 30_000 });
    assert.ok(code > 0, log);
    assert.ok(Date.now() - began < 20_000);
    assert.equal(log.trim().split('\n').length, 1, log);
  });

  test('migrate makes an empty database ready by itself, once, and says what it did', async () => {
    const env = { MONGODB_URI: uri };
    const status = async () => (await runCommand(['migrate', '--status'], { env })).log;
    assert.match(await status(), /pending/i);
    const first = await runCommand(['migrate'], { env });
    assert.equal(first.code, 0, first.log);
    assert.doesNotMatch(await status(), /pending/i);
    assert.equal((await runCommand(['migrate'], { env })).code, 0);
  });
});

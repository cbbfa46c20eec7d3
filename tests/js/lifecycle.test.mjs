// The life of the process: how it starts, what it refuses to start with, and how it drains.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import net from 'node:net';
import { afterEach, describe, test } from 'node:test';
import {
  PollingSession,
  REMOTE,
  RawWebSocket,
  STORE,
  TRANSPORTS,
  assertComplete,
  closeAll,
  connect,
  killAll,
  emitAck,
  nextEvent,
  register,
  request,
  rest,
  runCommand,
  send,
  startServer,
  temporaryFolder,
  login,
  wholeConversation,
} from './server.mjs';

const skip = Boolean(REMOTE);
afterEach(async () => {
  closeAll();
  await killAll();
});

describe('the start', { skip }, () => {
  test('says in one line where it listens and where it stores', async () => {
    const server = await startServer({ env: { LOG_LEVEL: 'info' } });
    const line = server.log().split('\n').find((text) => /listens on/.test(text));
    assert.match(line ?? server.log(), new RegExp(`http://(localhost|127\\.0\\.0\\.1):${server.port}\\b`));
    assert.match(line, STORE === 'mongo' ? /mongodb/ : /embedded/);
    assert.ok(line.includes(STORE === 'mongo' ? 'mongodb://127.0.0.1' : server.dataDir), line);
    assert.equal(await server.stop(), 0);
  });

  test('keeps the secret that it made, so that tokens outlive a restart', async () => {
    const server = await startServer({ env: { JWT_SECRET: undefined } });
    const { token } = await register(server.url);
    await server.restart();
    assert.equal((await rest(server.url, 'GET', '/api/auth/profile', { token })).status, 200);
    assert.equal(await server.stop(), 0);
  });

  test('reads the .env of its folder, and the environment wins', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, '.env'), 'TOKEN_TTL_SECONDS=1234\nBCRYPT_COST=15\n');
    const server = await startServer({ cwd });
    assert.equal((await register(server.url)).expiresIn, 1234);
    assert.equal(await server.stop(), 0);
  });

  const WRONG = {
    'a port that is none': [{ PORT: 'x' }, 'PORT'],
    'a cost out of range': [{ BCRYPT_COST: '3' }, 'BCRYPT_COST'],
    'an environment that is none': [{ APP_ENV: 'staging' }, 'APP_ENV'],
    'a time that is none': [{ SEND_TIMEOUT_MS: 'soon' }, 'SEND_TIMEOUT_MS'],
    'no secret in production': [{ APP_ENV: 'production', JWT_SECRET: undefined }, 'JWT_SECRET'],
    'a short secret in production': [{ NODE_ENV: 'production', JWT_SECRET: 'short' }, 'JWT_SECRET'],
    'a MongoDB without a database': [{ MONGODB_URI: 'mongodb://127.0.0.1' }, 'MONGODB_URI'],
    'a Redis in production': [{ APP_ENV: 'production', REDIS_URL: 'redis://127.0.0.1' }, 'REDIS_URL'],
  };
  for (const [name, [env, names]] of Object.entries(WRONG)) {
    test(`${name} ends it with 2 and one line that names it`, async () => {
      const { code, log } = await runCommand(['serve'], { env });
      assert.equal(code, 2, log);
      assert.equal(log.trim().split('\n').length, 1, log);
      assert.ok(log.includes(names), log);
    });
  }

  test('Redis in development is said, and one node runs', async () => {
    const server = await startServer({ env: { REDIS_URL: 'redis://:hidden@127.0.0.1' } });
    await register(server.url);
    assert.match(server.log(), /REDIS_URL/);
    assert.doesNotMatch(server.log(), /hidden/);
    assert.equal(await server.stop(), 0);
  });

  test('a busy port ends it with 1 and one line that names it', async () => {
    const server = await startServer();
    const { code, log } = await runCommand(['serve'], { env: { PORT: String(server.port) } });
    assert.equal(code, 1, log);
    assert.ok(log.includes(String(server.port)), log);
    assert.equal(log.trim().split('\n').length, 1, log);
    assert.equal(await server.stop(), 0);
  });
});

describe('the commands', { skip }, () => {
  test('an account made on the command line logs in, with the server running or not', async () => {
    const server = await startServer();
    const env = { DATA_DIR: server.dataDir, PORT: String(server.port) };
    const add = (name) =>
      runCommand(['user', 'add', name, `${name}@example.org`], { env, input: 'correct horse\n' });
    assert.equal((await add('while.running')).code, 0);
    await server.kill();
    assert.equal((await add('while.stopped')).code, 0);
    await server.start();
    for (const username of ['while.running', 'while.stopped']) {
      assert.equal((await login(server.url, { username, password: 'correct horse' })).status, 200, username);
    }
    const { code, log } = await runCommand(['gen-token', 'while.running'], { env });
    assert.equal(code, 0, log);
    assert.equal((await rest(server.url, 'GET', '/api/auth/profile', { token: log.trim() })).status, 200);
    assert.equal(await server.stop(), 0);
  });

  test('gen-secret makes a secret that production accepts', async () => {
    const { code, log } = await runCommand(['gen-secret']);
    assert.equal(code, 0, log);
    const env = { APP_ENV: 'production', JWT_SECRET: log.trim() };
    assert.equal((await runCommand(['check-config'], { env })).code, 0);
    const server = await startServer({ env });
    assert.equal(await server.stop(), 0);
  });

  test('check-config shows no secret', async () => {
    const { code, log } = await runCommand(['check-config'], { env: { JWT_SECRET: 'y'.repeat(40) } });
    assert.equal(code, 0, log);
    assert.doesNotMatch(log, /yyyy/);
    assert.match(log, /PORT/);
  });
});

describe('the drain', { skip }, () => {
  for (const signal of ['SIGTERM', 'SIGINT']) {
    test(`${signal}: /ready 503 at once, clients come back to the next process by themselves, exit 0`, async () => {
      const server = await startServer({ env: { DRAIN_GRACE_MS: '500' } });
      const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
      const returning = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50 };
      const sockets = await Promise.all(
        Object.values(TRANSPORTS).map((options) => connect(server.url, ann.token, { ...options, ...returning })),
      );
      const gone = sockets.map((socket) => new Promise((done) => socket.once('disconnect', done)));
      const began = Date.now();
      server.signal(signal);
      let ready;
      do ready = await rest(server.url, 'GET', '/ready');
      while (ready.status === 200);
      assert.equal(ready.status, 503);
      assert.ok(Date.now() - began < 400, 'at once');
      assert.equal((await rest(server.url, 'GET', '/health')).status, 200);
      assert.equal((await request(`${server.url}/socket.io/?EIO=4&transport=polling`)).status, 503);
      const { code } = await server.exited();
      assert.equal(code, 0);
      assert.ok(Date.now() - began < 10_000, 'within the deadline');
      for (const reason of await Promise.all(gone)) {
        assert.ok(['transport close', 'transport error'].includes(reason), `${reason} is one that clients return from`);
      }
      const back = sockets.map((socket) => new Promise((done) => socket.once('connect', done)));
      await server.start();
      await Promise.all(back);
      for (const socket of sockets) await send(socket, bob.user.id, 'back');
      closeAll();
      assert.equal(await server.stop(), 0);
    });
  }

  test('sends in flight are answered, and what was acknowledged is there', async () => {
    const server = await startServer({ env: { DRAIN_GRACE_MS: '50' } });
    const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
    const socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
    const cut = new Promise((done) => socket.once('disconnect', done));
    const acknowledged = [];
    let stopping;
    const writer = async () => {
      for (let n = 0; socket.connected; n += 1) {
        const ack = await Promise.race([
          emitAck(socket, 'private_message', { receiverId: bob.user.id, message: `m${n}` }),
          cut,
        ]);
        if (ack?.ok) acknowledged.push(ack.message);
        else if (ack?.error) assert.equal(ack.error.code, 'unavailable');
        if (acknowledged.length === 100) stopping ??= server.stop();
      }
    };
    await Promise.all(Array.from({ length: 16 }, writer));
    assert.equal(await stopping, 0);
    closeAll();
    await server.start();
    assertComplete(await wholeConversation(server.url, ann.token, bob.user.id), acknowledged);
    assert.equal(await server.stop(), 0);
  });

  test('connections that hang do not hold it, and it ends in order', async () => {
    const server = await startServer({ env: { DRAIN_GRACE_MS: '100', DRAIN_DEADLINE_MS: '9000', LOG_LEVEL: 'info' } });
    const { token } = await register(server.url);
    const idle = net.connect(server.port, '127.0.0.1').on('error', () => {});
    const half = net.connect(server.port, '127.0.0.1').on('error', () => {});
    half.write('POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{');
    const silent = await RawWebSocket.open(server.url);
    const polling = await PollingSession.open(server.url, { token });
    const waiting = polling.get().catch(() => {});
    const began = Date.now();
    assert.equal(await server.stop(), 0);
    assert.ok(Date.now() - began < 9_000, `${Date.now() - began} ms`);
    assert.match(server.log(), /ended/);
    assert.doesNotMatch(server.log(), /deadline|ERROR/);
    await waiting;
    silent.destroy();
    for (const socket of [idle, half]) socket.destroy();
  });

  test('the official client comes back after kill -9 and a restart, and has missed nothing', async () => {
    const server = await startServer();
    const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
    const returning = { reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 50 };
    const socket = await connect(server.url, ann.token, { ...TRANSPORTS.upgrade, ...returning });
    const other = await connect(server.url, bob.token, { ...TRANSPORTS.websocket, ...returning });
    const first = await send(socket, bob.user.id, 'before');
    await nextEvent(other, 'private_message');
    const back = [socket, other].map((each) => new Promise((done) => each.once('disconnect', () => each.once('connect', done))));
    await server.restart();
    await Promise.all(back);
    const second = await send(socket, bob.user.id, 'after');
    assert.deepEqual(await nextEvent(other, 'private_message'), second);
    assertComplete(await wholeConversation(server.url, bob.token, ann.user.id), [first, second]);
    closeAll();
    assert.equal(await server.stop(), 0);
  });
});

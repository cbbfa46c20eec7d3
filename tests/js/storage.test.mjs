// The folder: one process at a time, a folder that can't be written, a full disk, backup and restore.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import {
  TRANSPORTS,
  assertComplete,
  assertError,
  closeAll,
  connect,
  killAll,
  emitAck,
  login,
  ok,
  onlyEmbedded,
  register,
  rest,
  runCommand,
  send,
  startServer,
  temporaryFolder,
  wholeConversation,
} from './server.mjs';

const skip = onlyEmbedded('this is about its folder');
const ROOT = process.getuid() === 0;
const NOBODY = 65_534;
afterEach(async () => {
  closeAll();
  await killAll();
});

const oneLine = (log) => assert.equal(log.trim().split('\n').length, 1, log);

test('a second process on the folder is refused, and the first goes on', { skip }, async () => {
  const server = await startServer();
  const { code, log } = await runCommand(['serve'], { env: { DATA_DIR: server.dataDir } });
  assert.equal(code, 1, log);
  oneLine(log);
  assert.ok(log.includes(server.dataDir), log);
  await register(server.url);
  assert.equal(await server.stop(), 0);
});

test('a folder that can\'t be written is refused in one line, a new one and a used one', { skip }, async () => {
  const cwd = temporaryFolder();
  const uid = ROOT ? NOBODY : undefined;
  const empty = join(cwd, 'empty');
  mkdirSync(empty);
  const server = await startServer({ dataDir: join(cwd, 'used') });
  await register(server.url);
  assert.equal(await server.stop(), 0);
  for (const folder of [cwd, empty, server.dataDir]) chmodSync(folder, 0o555);
  for (const dataDir of [empty, server.dataDir, join(empty, 'below')]) {
    const { code, log } = await runCommand(['serve'], { cwd: '/', uid, env: { DATA_DIR: dataDir } });
    assert.equal(code, 1, log);
    oneLine(log);
    assert.ok(log.includes(dataDir), log);
  }
  chmodSync(cwd, 0o755);
});

test('a file that is no store is refused by its name, and left as it is', { skip }, async () => {
  const server = await startServer();
  assert.equal(await server.stop(), 0);
  const files = readdirSync(server.dataDir).filter((name) => name.endsWith('.db'));
  assert.ok(files.length >= 2, files.join(' '));
  for (const name of files) {
    const dataDir = join(temporaryFolder(), 'data');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, name), 'this is not a database, '.repeat(500));
    const before = statSync(join(dataDir, name));
    const { code, log } = await runCommand(['serve'], { env: { DATA_DIR: dataDir } });
    assert.equal(code, 1, log);
    oneLine(log);
    assert.ok(log.includes(name), log);
    const now = statSync(join(dataDir, name));
    assert.deepEqual([now.size, now.mtimeMs], [before.size, before.mtimeMs]);
  }
});

test('what the store keeps is for its owner only', { skip }, async () => {
  const server = await startServer({ dataDir: join(temporaryFolder(), 'new') });
  assert.equal(statSync(server.dataDir).mode & 0o077, 0);
  assert.equal(await server.stop(), 0);
});

test('a backup of the running server, restored elsewhere, has everything', { skip }, async () => {
  const server = await startServer();
  const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
  const socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
  const other = await connect(server.url, bob.token, TRANSPORTS.websocket);
  const early = await Promise.all(Array.from({ length: 300 }, (_, n) => send(socket, bob.user.id, `m${n}`)));
  await ok(other, 'message_read', { messageId: early[99].id });
  const file = join(temporaryFolder(), 'backup');
  const env = { DATA_DIR: server.dataDir, PORT: String(server.port) };

  // Under load: sends go on while the copy is made.
  let copying = true;
  const late = [];
  const writer = async () => {
    while (copying) late.push(await send(socket, bob.user.id, `late ${late.length}`));
  };
  const writers = [writer(), writer(), writer()];
  const made = await runCommand(['backup', file], { env });
  copying = false;
  await Promise.all(writers);
  assert.equal(made.code, 0, made.log);
  assert.ok(existsSync(file));
  const twice = await runCommand(['backup', file], { env });
  assert.notEqual(twice.code, 0, 'a backup overwrites nothing');

  const live = await wholeConversation(server.url, ann.token, bob.user.id);
  assertComplete(live, [...early, ...late]);
  assert.equal(await server.stop(), 0);

  const dataDir = join(temporaryFolder(), 'restored');
  const restored = await runCommand(['restore', file], { env: { DATA_DIR: dataDir } });
  assert.equal(restored.code, 0, restored.log);
  const copy = await startServer({ dataDir });
  const messages = await wholeConversation(copy.url, ann.token, bob.user.id);
  assertComplete(messages, early);
  assert.deepEqual(messages.slice(0, 300), live.slice(0, 300));
  assert.equal(messages.filter((message) => message.isRead).length, 100);
  assert.equal((await login(copy.url, { email: ann.user.email, password: ann.password })).status, 200);
  const again = await connect(copy.url, ann.token);
  assert.equal((await send(again, bob.user.id, 'goes on')).seq, messages.length + 1);
  closeAll();
  assert.equal(await copy.stop(), 0);
  const over = await runCommand(['restore', file], { env: { DATA_DIR: dataDir } });
  assert.notEqual(over.code, 0, 'a restore overwrites nothing');
});

describe('a full disk', { skip }, () => {
  const folder = temporaryFolder();
  const mount = (...args) => spawnSync('mount', args, { encoding: 'utf8' });

  test('refuses sends, not reads, and works again when there is room', { timeout: 120_000 }, async (t) => {
    if (!ROOT) return t.skip('a small tmpfs needs root');
    const mounted = mount('-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', folder);
    if (mounted.status !== 0) return t.skip(`a tmpfs can't be mounted here: ${mounted.stderr.trim()}`);
    try {
      await fill(join(folder, 'data'));
    } finally {
      closeAll();
      spawnSync('umount', ['-l', folder]);
    }
  });

  async function fill(dataDir) {
    mkdirSync(dataDir);
    const server = await startServer({ dataDir, env: { LOG_LEVEL: 'error' } });
    const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
    const socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
    const acknowledged = [];
    const text = 'x'.repeat(3_900);
    const write = () =>
      emitAck(socket, 'private_message', { receiverId: bob.user.id, message: `${acknowledged.length} ${text}` });
    let refusal;
    while (!refusal) {
      for (const ack of await Promise.all(Array.from({ length: 50 }, write))) {
        if (ack.ok) acknowledged.push(ack.message);
        else refusal = ack.error;
      }
      assert.ok(acknowledged.length < 20_000, 'the disk is never full');
    }
    assertError(refusal, 'unavailable');
    assert.ok(refusal.retryAfterMs > 0);

    assert.equal((await rest(server.url, 'GET', '/health')).status, 200);
    const page = await ok(socket, 'get_chat_history', { otherUserId: bob.user.id });
    assert.equal(page.messages.length, 50);
    assert.equal((await login(server.url, { email: ann.user.email, password: ann.password })).status, 200);
    const account = { username: 'late.comer', email: 'late@example.org', password: 'correct horse' };
    const registration = await rest(server.url, 'POST', '/api/auth/register', { body: account });
    if (registration.status !== 201) {
      assert.equal(registration.status, 503);
      assertError(registration.json, 'unavailable');
      assert.ok(Number(registration.headers['retry-after']) >= 0);
    }

    assert.equal(mount('-o', 'remount,size=96m', folder).status, 0);
    let ack;
    do {
      ack = await write();
      if (!ack.ok) assertError(ack.error, 'unavailable');
    } while (!ack.ok);
    acknowledged.push(ack.message);
    assertComplete(await wholeConversation(server.url, ann.token, bob.user.id), acknowledged);
    await server.restart();
    assertComplete(await wholeConversation(server.url, ann.token, bob.user.id), acknowledged);
    closeAll();
    assert.equal(await server.stop(), 0);
  }
});

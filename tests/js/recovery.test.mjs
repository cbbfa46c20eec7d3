// Connection state recovery with the official client: after a lost link it is the same socket, with all that it missed, or a new one.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import {
  OPCODE,
  RawWebSocket,
  STORE,
  TRANSPORTS,
  closeAll,
  connect,
  cuttable,
  disconnected,
  fence,
  nextEvent,
  ok,
  okInTime,
  onlyEmbedded,
  pending,
  register,
  runCommand,
  send,
  startServer,
  temporaryFolder,
  until,
  upgraded,
} from './server.mjs';

let server, proxy, ann, bob, sender;

before(async () => {
  server = await startServer({ env: { PRESENCE_GRACE_MS: '60000', PING_INTERVAL_MS: '60000' } });
  proxy = await cuttable(server.url);
});
beforeEach(async () => {
  closeAll();
  [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
  sender = await connect(server.url, ann.token, TRANSPORTS.websocket);
});
after(async () => {
  closeAll();
  await proxy.close();
  await server.stop();
});

/** A receiver whose link can be cut; it comes back only when it is told to. */
const receiver = (options = {}, token = bob.token) => connect(proxy.url, token, { ...TRANSPORTS.websocket, ...options });

/** Waits until a client that was told to is connected again. */
async function back(socket) {
  await disconnected(socket);
  socket.inbox.length = 0;
  const connected = new Promise((done, failed) => {
    socket.once('connect', done);
    socket.once('connect_error', failed);
  });
  socket.connect();
  await connected;
  return socket.recovered;
}

for (const [name, transports] of Object.entries(TRANSPORTS)) {
  for (const how of ['cut', 'lose']) {
    test(`over ${name} a link that is ${how === 'cut' ? 'cut' : 'lost unnoticed'} costs no event, and repeats none`, async () => {
      const socket = await receiver(transports);
      if (name === 'upgrade') await upgraded(socket);
      const { id } = socket;
      const first = await send(sender, bob.user.id, 'first');
      const seen = await nextEvent(socket, 'private_message', (message) => message.id === first.id);
      assert.deepEqual(seen, first);
      const own = await send(socket, ann.user.id, 'mine, and acknowledged');
      await nextEvent(sender, 'private_message', (message) => message.id === own.id);

      await proxy[how]();
      await disconnected(socket);
      const second = await send(sender, bob.user.id, 'second');
      const third = await send(sender, bob.user.id, 'third');
      const { message: edited } = await okInTime(sender, 'edit_message', { messageId: first.id, message: 'first, edited' });
      await okInTime(sender, 'message_read', { messageId: own.id });
      await okInTime(sender, 'delete_message', { messageId: third.id });

      assert.equal(await back(socket), true);
      assert.equal(socket.id, id);
      const last = await send(sender, bob.user.id, 'live again');
      await nextEvent(socket, 'private_message', (message) => message.id === last.id);
      const told = socket.inbox.map((event) => [event.name, event.args[0]]).filter(([event]) => !event.includes('online'));
      assert.deepEqual(told, [
        ['private_message', second],
        ['private_message', third],
        ['message_edited', edited],
        ['message_read', { messageId: own.id }],
        ['message_deleted', { messageId: third.id }],
      ]);
      assert.equal(pending(socket, 'online_users').length, 1, 'who is online is told anew');
      // Over polling the client still says that it closes, which ends a device at once.
      if (name !== 'polling') assert.deepEqual(pending(sender, 'user_offline'), []);
    });
  }
}

test('cut again and again while messages pour in, each of them is told once and in order', async () => {
  const socket = await receiver({ reconnection: true, reconnectionDelay: 5, reconnectionDelayMax: 20 });
  const recovered = [];
  socket.on('connect', () => recovered.push(socket.recovered));
  const count = 300;
  for (let n = 0; n < count; n += 1) {
    const sending = send(sender, bob.user.id, `m${n}`);
    if (n % 40 === 20 && socket.connected) await proxy.cut();
    await sending;
  }
  await until('everything is told', () => pending(socket, 'private_message').length >= count);
  const texts = pending(socket, 'private_message').map((message) => message.message);
  assert.deepEqual(texts, Array.from({ length: count }, (_, n) => `m${n}`));
  assert.ok(recovered.length > 0 && recovered.every((how) => how === true), `${recovered}`);
});

test('a socket taken up while the server believed it connected is one device', async () => {
  const watcher = await connect(server.url, ann.token, TRANSPORTS.websocket);
  const socket = await receiver();
  await nextEvent(watcher, 'user_online', (user) => user.userId === bob.user.id);
  await proxy.lose();
  assert.equal(await back(socket), true);
  await send(sender, bob.user.id, 'once');
  await nextEvent(socket, 'private_message');
  socket.disconnect();
  // At once, not after the grace time: no other device is left.
  await nextEvent(watcher, 'user_offline', (user) => user.userId === bob.user.id);
});

test('what was typed, and acknowledged before the link was cut, is not told to its sender', async () => {
  const [socket, other] = [await receiver(), await connect(server.url, bob.token, TRANSPORTS.websocket)];
  const mine = await send(socket, ann.user.id, 'by this device');
  await proxy.cut();
  await disconnected(socket);
  const others = await send(other, ann.user.id, 'by the other device');
  assert.equal(await back(socket), true);
  await fence(sender, socket, bob.user.id);
  assert.deepEqual(pending(socket, 'private_message'), [others]);
  assert.notEqual(mine.id, others.id);
});

test('it is another socket after a disconnect of its own, with a foreign or broken ticket, or an offset of nowhere', async () => {
  const socket = await receiver();
  await send(sender, bob.user.id, 'hello');
  await nextEvent(socket, 'private_message');
  const { id, _pid: pid, _lastOffset: offset } = socket;
  const [, tag] = offset.split('.');
  socket.disconnect();
  assert.equal(await back(socket), false);
  assert.notEqual(socket.id, id);

  const victim = await receiver();
  const { _pid: theirs } = victim;
  const [others] = [await register(server.url)];
  for (const [token, claim] of [
    [others.token, { pid: theirs }],
    [others.token, { pid: theirs, offset: '1' }],
    [bob.token, { pid }],
    [bob.token, { pid: `${theirs}x` }],
    [bob.token, { pid: theirs, offset: '99999999999' }],
    [bob.token, { pid: theirs, offset: `99999999999999.${tag}` }],
    [bob.token, { pid: theirs, offset: `+1.${tag}` }],
    [bob.token, { pid: theirs, offset: 'rubbish' }],
    [bob.token, { pid: theirs, offset: -1 }],
    [bob.token, { pid: 7 }],
    [bob.token, { pid: {}, offset: [] }],
  ]) {
    const thief = await connect(server.url, undefined, { ...TRANSPORTS.websocket, auth: { token, ...claim } });
    if (claim.offset !== -1) assert.notEqual(thief.id, victim.id, JSON.stringify(claim));
    thief.disconnect();
  }
  const last = await send(sender, bob.user.id, 'still there');
  if (victim.connected) assert.deepEqual(await nextEvent(victim, 'private_message', (message) => message.id === last.id), last);
});

/** Sends many messages, some at once: their ids. */
async function sendMany(count, text = '') {
  const sent = [];
  for (let n = 0; n < count; n += 50) {
    sent.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => send(sender, bob.user.id, `m${n + i}${text}`)))));
  }
  return sent.map((message) => message.id);
}

test('hundreds of missed messages come in order', async () => {
  const socket = await receiver();
  await proxy.cut();
  await disconnected(socket);
  const sent = await sendMany(STORE === 'mongo' ? 200 : 500);
  assert.equal(await back(socket), true);
  await fence(sender, socket, bob.user.id);
  assert.deepEqual(pending(socket, 'private_message').map((message) => message.id), sent);
});

test('it is another socket when too much was missed, and sync has it all', async () => {
  const socket = await receiver();
  const { cursor } = await ok(socket, 'sync', {});
  await proxy.cut();
  await disconnected(socket);
  // More than half of OUTBOX_BYTES.
  const sent = await sendMany(STORE === 'mongo' ? 200 : 400, 'x'.repeat(3_900));
  assert.equal(await back(socket), false);
  const met = [];
  for (let since = cursor; ; ) {
    const page = await ok(socket, 'sync', { since });
    met.push(...page.events.map(({ message }) => message.id));
    since = page.cursor;
    if (page.complete) break;
  }
  assert.deepEqual(met, sent);
});

for (const how of ['kill', 'stop']) {
  test(`after ${how === 'kill' ? 'kill -9' : 'an orderly stop'} and a new start clients are recovered with what they missed`, async () => {
    const own = await startServer({ env: { PRESENCE_GRACE_MS: '60000' } });
    try {
      const [eve, dan, fay] = await Promise.all([1, 2, 3].map(() => register(own.url)));
      const enter = ({ token }) => connect(own.url, token, TRANSPORTS.websocket);
      const [from, to, third] = [await enter(eve), await enter(dan), await enter(fay)];
      const ids = [from.id, to.id, third.id];
      const first = await send(from, dan.user.id, 'first');
      await nextEvent(to, 'private_message');
      const mine = await send(to, eve.user.id, 'mine, and acknowledged');
      await nextEvent(from, 'private_message');
      await ok(to, 'message_read', { messageId: first.id });
      await nextEvent(from, 'message_read');

      const gone = [from, to, third].map(disconnected);
      await own[how]();
      await Promise.all(gone);
      await own.start();
      // Who is back first goes on while the others are still away.
      assert.equal(await back(from), true);
      const second = await send(from, dan.user.id, 'second');
      const { message: edited } = await ok(from, 'edit_message', { messageId: first.id, message: 'first, edited' });
      await ok(from, 'message_read', { messageId: mine.id });

      assert.equal(await back(to), true);
      assert.equal(await back(third), true, 'one who heard nothing yet');
      assert.deepEqual([from.id, to.id, third.id], ids);
      const last = await send(from, dan.user.id, 'live again');
      await nextEvent(to, 'private_message', (message) => message.id === last.id);
      const told = to.inbox.map((event) => [event.name, event.args[0]]).filter(([event]) => !event.includes('online'));
      assert.deepEqual(told, [
        ['message_read', { messageId: first.id }],
        ['private_message', second],
        ['message_edited', edited],
        ['message_read', { messageId: mine.id }],
      ]);
      assert.deepEqual(pending(from, 'message_read'), []);
    } finally {
      closeAll();
      await own.kill();
    }
  });
}

test('after a start with an older store it is another socket', { skip: onlyEmbedded('`backup` is of the embedded store') }, async () => {
  const own = await startServer();
  const backup = join(temporaryFolder(), 'backup');
  const [eve, dan] = await Promise.all([register(own.url), register(own.url)]);
  const [from, to] = [await connect(own.url, eve.token, TRANSPORTS.websocket), await connect(own.url, dan.token, TRANSPORTS.websocket)];
  const { code, log } = await runCommand(['backup', backup], { env: { DATA_DIR: own.dataDir } });
  assert.equal(code, 0, log);
  await send(from, dan.user.id, 'after the backup');
  await nextEvent(to, 'private_message');
  const gone = disconnected(to);
  await own.kill();
  await gone;
  rmSync(own.dataDir, { recursive: true });
  const restored = await runCommand(['restore', backup], { env: { DATA_DIR: own.dataDir } });
  assert.equal(restored.code, 0, restored.log);
  await own.start();
  const way = await cuttable(own.url);
  to.io.uri = way.url;
  assert.equal(await back(to), false);
  // Its client brings the older store's offset on, until it hears an event; by now other events bear such numbers.
  await way.cut();
  await disconnected(to);
  const again = await connect(own.url, eve.token, TRANSPORTS.websocket);
  const sent = [];
  for (let n = 0; n < 5; n += 1) sent.push(await send(again, dan.user.id, `new ${n}`));
  assert.equal(await back(to), true);
  await until('all is told', () => pending(to, 'private_message').length >= 5);
  assert.deepEqual(pending(to, 'private_message'), sent);
  closeAll();
  await way.close();
  await own.kill();
});

test('what an earlier session had not heard is not told in a later one, also where its client brings the offset on', async () => {
  const own = await startServer({ env: { RECOVERY_WINDOW_MS: '1000', PRESENCE_GRACE_MS: '60000' } });
  const way = await cuttable(own.url);
  const [eve, dan] = await Promise.all([register(own.url), register(own.url)]);
  const [from, to] = [await connect(own.url, eve.token, TRANSPORTS.websocket), await connect(way.url, dan.token, TRANSPORTS.websocket)];
  await send(from, dan.user.id, 'heard');
  await nextEvent(to, 'private_message');
  await way.cut();
  await disconnected(to);
  await send(from, dan.user.id, 'while it was away');
  await new Promise((done) => setTimeout(done, 1_100));
  assert.equal(await back(to), false);
  await way.cut();
  await disconnected(to);
  const fresh = await send(from, dan.user.id, 'fresh');
  // In time only on a machine that is not too busy: else it is another session, which hears nothing.
  if (await back(to)) {
    await until('it is told', () => pending(to, 'private_message').length > 0);
    assert.deepEqual(pending(to, 'private_message'), [fresh]);
  }
  closeAll();
  await way.close();
  await own.kill();
});

test('it is another socket after the window, and where recovery is off nothing is added to events', async () => {
  const short = await startServer({ env: { RECOVERY_WINDOW_MS: '1' } });
  const off = await startServer({ env: { RECOVERY_WINDOW_MS: '0' } });
  try {
    for (const { url } of [short, off]) {
      const way = await cuttable(url);
      const user = await register(url);
      const socket = await connect(way.url, user.token, TRANSPORTS.websocket);
      assert.equal(socket._pid === undefined, url === off.url);
      await way.cut();
      assert.ok(!(await back(socket)));
      await way.close();
    }
    const [eve, dan] = await Promise.all([register(off.url), register(off.url)]);
    const [from, to] = [await connect(off.url, eve.token), await connect(off.url, dan.token)];
    await send(from, dan.user.id, 'plain');
    await until('it is there', () => pending(to, 'private_message').length === 1);
    assert.equal(to.inbox.find((event) => event.name === 'private_message').args.length, 1);
  } finally {
    closeAll();
    await Promise.all([short.stop(), off.stop()]);
  }
});

test('clients that do not know recovery get events as ever', async () => {
  const frames = async (query, headers, auth) => {
    const path = `/socket.io/?EIO=4&transport=websocket${query}`;
    const socket = await RawWebSocket.open(server.url, { path, headers });
    const packet = async (begin) => {
      for (;;) {
        const text = await socket.text();
        if (text.startsWith(begin)) return JSON.parse(text.slice(2));
      }
    };
    socket.send(OPCODE.text, `40${JSON.stringify({ token: bob.token, ...auth })}`);
    const { pid } = await packet('40');
    await send(sender, bob.user.id, 'hello');
    const event = await packet('42["private_message"');
    socket.destroy();
    return [pid !== undefined, event.length];
  };
  assert.deepEqual(await frames('', {}), [true, 3]);
  assert.deepEqual(await frames('&t=1700000000.25', {}), [false, 2], 'python-socketio');
  assert.deepEqual(await frames('', { 'User-Agent': 'Dart/3.5 (dart:io)' }), [false, 2]);
  assert.deepEqual(await frames('', { 'User-Agent': 'okhttp/4.12' }), [false, 2]);
  assert.deepEqual(await frames('', {}, { recovery: false }), [false, 2], 'whoever says so');
  assert.deepEqual(await frames('&t=1700000000.25', {}, { recovery: true }), [true, 3]);
});

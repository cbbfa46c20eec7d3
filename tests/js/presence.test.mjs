// Who is online: the list on connect, first and last devices, and the grace of a dropped link.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  OPCODE,
  PollingSession,
  RawWebSocket,
  TIME,
  TRANSPORTS,
  closeAll,
  connect,
  nextEvent,
  pending,
  register,
  registerMany,
  rest,
  startServer,
  until,
} from './server.mjs';

const GRACE_MS = 1_000;
let server, ann, bob, watcher;

before(async () => (server = await startServer({ env: { PRESENCE_GRACE_MS: String(GRACE_MS) } })));
beforeEach(async () => {
  closeAll();
  [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
  watcher = await connect(server.url, ann.token, TRANSPORTS.websocket);
});
after(async () => {
  closeAll();
  await server.stop();
});

const about = (user) => (event) => event.userId === user.user.id;
const name = (user) => ({ userId: user.user.id, username: user.user.username });
const entry = (list, user) => list.find(about(user));

/** Somebody else comes online: what concerned others before has arrived at the watcher by then. */
async function presenceFence() {
  const stranger = await register(server.url);
  const socket = await connect(server.url, stranger.token, TRANSPORTS.websocket);
  await nextEvent(watcher, 'user_online', about(stranger));
  socket.disconnect();
}

for (const [transport, options] of Object.entries(TRANSPORTS)) {
  test(`over ${transport}: the list on connect leaves oneself out and names the newest socket`, async () => {
    const phone = await connect(server.url, bob.token, options);
    const first = await nextEvent(phone, 'online_users');
    assert.deepEqual(entry(first, ann), { ...name(ann), socketId: watcher.id });
    assert.equal(entry(first, bob), undefined);
    const desk = await connect(server.url, bob.token, options);
    assert.equal(entry(await nextEvent(desk, 'online_users'), bob), undefined);

    const newcomer = await connect(server.url, (await register(server.url)).token, options);
    const list = await nextEvent(newcomer, 'online_users');
    assert.deepEqual(list.filter(about(bob)), [{ ...name(bob), socketId: desk.id }], 'one entry a user');
  });

  test(`over ${transport}: others hear of the first device and after the last, at once on a clean goodbye`, async () => {
    const phone = await connect(server.url, bob.token, options);
    assert.deepEqual(await nextEvent(watcher, 'user_online', about(bob)), name(bob));
    const desk = await connect(server.url, bob.token, options);
    desk.disconnect();
    await presenceFence();
    assert.deepEqual(pending(watcher, 'user_online').filter(about(bob)), []);
    assert.deepEqual(pending(watcher, 'user_offline').filter(about(bob)), []);
    const began = process.hrtime.bigint();
    phone.disconnect();
    assert.deepEqual(await nextEvent(watcher, 'user_offline', about(bob)), name(bob));
    assert.ok(Number(process.hrtime.bigint() - began) / 1e6 < GRACE_MS * 0.8, 'no grace after a clean goodbye');
    assert.deepEqual(pending(phone, 'user_online').filter(about(bob)), [], 'nobody hears of oneself');
  });
}

const cutLink = (socket) =>
  new Promise((done) => {
    socket.once('disconnect', done);
    socket.io.engine.transport.ws._socket.destroy();
  });

test('a dropped link that comes back within the grace is not told', async () => {
  const phone = await connect(server.url, bob.token, TRANSPORTS.websocket);
  await nextEvent(watcher, 'user_online', about(bob));
  await cutLink(phone);
  const again = await connect(server.url, bob.token, TRANSPORTS.websocket);
  await presenceFence();
  assert.deepEqual(pending(watcher, 'user_online').filter(about(bob)), []);
  again.disconnect();
  assert.deepEqual(await nextEvent(watcher, 'user_offline', about(bob)), name(bob));
  assert.deepEqual(pending(watcher, 'user_offline').filter(about(bob)), []);
});

test('a dropped link that stays away is told after the grace', async () => {
  const phone = await connect(server.url, bob.token, TRANSPORTS.websocket);
  await nextEvent(watcher, 'user_online', about(bob));
  const began = process.hrtime.bigint();
  await cutLink(phone);
  assert.deepEqual(await nextEvent(watcher, 'user_offline', about(bob)), name(bob));
  const passed = Number(process.hrtime.bigint() - began) / 1e6;
  assert.ok(passed > GRACE_MS * 0.8, `${passed} ms`);
});

test('clients dropped in the middle of connecting leave no ghosts', async () => {
  const ghost = await register(server.url);
  const packet = `40${JSON.stringify({ token: ghost.token })}`;
  for (let round = 0; round < 20; round += 1) {
    const raw = await RawWebSocket.open(server.url);
    await raw.send(OPCODE.text, packet);
    raw.destroy();
  }
  // Each of them may have been online for a moment; once the graces are over nobody is.
  await until('the ghost is offline', async () => {
    const { json } = await rest(server.url, 'GET', `/api/users?q=${ghost.user.username}`, { token: ann.token });
    return json.users[0].isOnline === false;
  });
  const newcomer = await connect(server.url, (await register(server.url)).token);
  assert.deepEqual((await nextEvent(newcomer, 'online_users')).filter(about(ghost)), []);
});

test('a polling GET that the client cuts ends the session, and its user is offline after the grace', async () => {
  const session = await PollingSession.open(server.url, { token: bob.token });
  await nextEvent(watcher, 'user_online', about(bob));
  const cut = new AbortController();
  await session.packet(/^42\["online_users"/);
  const waiting = session.get({ signal: cut.signal });
  await rest(server.url, 'GET', '/health');
  cut.abort();
  await assert.rejects(waiting);
  await nextEvent(watcher, 'user_offline', about(bob));
  const answer = await session.post('42["typing",{}]');
  assert.equal(answer.status, 400);
  assert.equal(answer.json.code, 1, 'the session is unknown');
});

test('REST shows who is online, and when somebody was last seen', async () => {
  const find = async () => {
    const answer = await rest(server.url, 'GET', `/api/users?q=${bob.user.username}`, { token: ann.token });
    return answer.json.users.find(({ id }) => id === bob.user.id);
  };
  assert.deepEqual([(await find()).isOnline, (await find()).lastSeen], [false, null]);
  const phone = await connect(server.url, bob.token);
  assert.equal((await find()).isOnline, true);
  phone.disconnect();
  await nextEvent(watcher, 'user_offline', about(bob));
  const gone = await find();
  assert.equal(gone.isOnline, false);
  assert.match(gone.lastSeen, TIME);
});

test('100 users who come at once are all told', async () => {
  const users = await registerMany(server.url, 100);
  const sockets = await Promise.all(users.map((user) => connect(server.url, user.token, TRANSPORTS.websocket)));
  for (const user of users) assert.deepEqual(await nextEvent(watcher, 'user_online', about(user)), name(user));
  for (const socket of sockets) socket.disconnect();
  for (const user of users) assert.deepEqual(await nextEvent(watcher, 'user_offline', about(user)), name(user));
});

test('nobody is online after a restart', async () => {
  await connect(server.url, bob.token);
  closeAll();
  await server.restart();
  const socket = await connect(server.url, ann.token);
  assert.deepEqual(await nextEvent(socket, 'online_users'), []);
  const { json } = await rest(server.url, 'GET', `/api/users?q=${bob.user.username}`, { token: ann.token });
  assert.equal(json.users[0].isOnline, false);
});

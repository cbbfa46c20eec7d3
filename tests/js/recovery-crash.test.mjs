// kill -9 in the middle of a conversation: whoever comes back as `recovered` has missed nothing and hears nothing twice.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  REMOTE,
  STORE,
  TRANSPORTS,
  closeAll,
  connect,
  killAll,
  register,
  startServer,
  until,
  wholeConversation,
} from './server.mjs';

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 4);
const PAIRS = STORE === 'mongo' ? 2 : 3;
const IN_FLIGHT = 3;

afterEach(async () => {
  closeAll();
  await killAll();
});

/** A device that comes back by itself, and what it heard: a visit begins with each connection that is not recovered. */
async function device(url, { token, user }) {
  const socket = await connect(url, token, { ...TRANSPORTS.websocket, reconnection: true, reconnectionDelay: 20, reconnectionDelayMax: 100 });
  const visits = [[]];
  const returns = { recovered: 0, anew: 0 };
  socket.on('connect', () => {
    returns[socket.recovered ? 'recovered' : 'anew'] += 1;
    if (!socket.recovered) visits.push([]);
  });
  socket.onAny((name, data) => visits.at(-1).push({ name, data }));
  socket.on('private_message', ({ id, seq }) => {
    socket.emit(seq % 5 === 0 ? 'message_read' : 'message_delivered', { messageId: id });
  });
  return { socket, visits, returns, userId: user.id };
}

/** Sends until it is acknowledged, by the same name. */
async function sendSurely({ socket }, receiverId, clientId) {
  for (;;) {
    if (!socket.connected) await new Promise((done) => socket.once('connect', done));
    const payload = { receiverId, message: `text of ${clientId}`, clientId };
    const ack = await socket.timeout(30_000).emitWithAck('private_message', payload).catch(() => undefined);
    if (ack?.ok) return;
    if (!ack) continue;
    assert.equal(ack.error.code, 'unavailable', JSON.stringify(ack));
    await pause(ack.error.retryAfterMs);
  }
}

/** What of some events a visit heard, each once. */
function heardOnce(visit, name, key, wanted = () => true) {
  const heard = visit.filter((event) => event.name === name && wanted(event.data)).map((event) => event.data[key]);
  assert.equal(new Set(heard).size, heard.length, `${name} comes twice in ${heard}`);
  return heard;
}

/** That a device heard, from its first visit on, all that was for it, once and in order. */
function check(device, messages) {
  const others = messages.filter((message) => message.senderId !== device.userId);
  device.visits.forEach((visit, index) => {
    // Its own that were stored while the server died are told to it as well: it had no acknowledgement.
    const heard = heardOnce(visit, 'private_message', 'seq', ({ senderId }) => senderId !== device.userId);
    const [first, last] = [index === 0 ? 1 : heard[0], index === device.visits.length - 1 ? Infinity : heard.at(-1)];
    const all = others.map((message) => message.seq).filter((seq) => seq >= first && seq <= last);
    assert.deepEqual(heard, heard.length || index === 0 ? all : [], 'a visit has a gap');
    const [read, delivered] = ['message_read', 'message_delivered'].map((name) => heardOnce(visit, name, 'messageId'));
    if (device.visits.length > 1) return;
    const own = messages.filter((message) => message.senderId === device.userId);
    // What it has read itself may be told to it again: after a start nobody knows by which device that was.
    const ownRead = own.filter((message) => message.isRead).map(({ id }) => id);
    assert.deepEqual(new Set(read.filter((id) => ownRead.includes(id))), new Set(ownRead), 'readings that were not told');
    const isDelivered = ({ deliveredAt, readAt }) => deliveredAt !== undefined && deliveredAt !== readAt;
    const missing = own.filter(isDelivered).filter(({ id }) => !delivered.includes(id));
    assert.deepEqual(missing, [], 'deliveries that were not told');
  });
}

test('whoever is recovered after kill -9 has missed nothing and hears nothing twice', { skip: Boolean(REMOTE), timeout: 300_000 }, async () => {
  const server = await startServer({ env: { PING_INTERVAL_MS: '60000', RATE_LIMITS: 'off' } });
  const pairs = await Promise.all(
    Array.from({ length: PAIRS }, async () => {
      const users = await Promise.all([register(server.url), register(server.url)]);
      return { users, devices: await Promise.all(users.map((user) => device(server.url, user))) };
    }),
  );
  let [written, acknowledged, over] = [0, 0, false];
  const write = async (pair, from) => {
    while (!over) {
      await sendSurely(pair.devices[from], pair.users[1 - from].user.id, `m${(written += 1)}`);
      acknowledged += 1;
    }
  };
  const writing = pairs.flatMap((pair) => [0, 1].flatMap((from) => Array.from({ length: IN_FLIGHT }, () => write(pair, from))));
  for (let round = 1; round <= ROUNDS; round += 1) {
    const enough = acknowledged + 30 + ((round * 137) % 100);
    await until('they have written', () => acknowledged >= enough, 60_000);
    await server.kill();
    await server.start();
  }
  over = true;
  await Promise.all(writing);
  for (const { users, devices } of pairs) {
    await until('they are back', () => devices.every(({ socket }) => socket.connected));
    for (const from of [0, 1]) await sendSurely(devices[from], users[1 - from].user.id, `last-of-${from}`);
    const history = () => wholeConversation(server.url, users[0].token, users[1].user.id);
    const isLast = ({ name, data }) => name === 'private_message' && data.message.startsWith('text of last');
    await until('all is told', () => devices.every(({ visits }) => visits.at(-1).some(isLast)));
    // What the last events have caused is told as well once it has been answered.
    for (const { socket } of devices) await socket.timeout(30_000).emitWithAck('get_conversations', {});
    for (const { socket } of devices) await socket.timeout(30_000).emitWithAck('get_conversations', {});
    const messages = await history();
    devices.forEach((one) => check(one, messages));
  }
  const returns = pairs.flatMap(({ devices }) => devices.map(({ returns }) => returns));
  // How many returns there were is not known: a device may still be on its way back when the server dies again.
  assert.ok(returns.some(({ recovered }) => recovered > 0), JSON.stringify(returns));
  if (STORE !== 'mongo') assert.ok(returns.every(({ anew }) => anew === 0), JSON.stringify(returns));
});

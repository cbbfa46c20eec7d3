// kill -9 under load, again and again: what was acknowledged is there, once, in order.
// CRASH_ROUNDS says how often (20; on MongoDB 5 at most: its stand-in reads by scan, so it is kept small and asked less at
// once, and where it is too slow all the same, the clients do what a refusal with retryAfterMs asks for).
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import {
  REMOTE,
  STORE,
  TRANSPORTS,
  assertComplete,
  closeAll,
  connect,
  killAll,
  okInTime,
  register,
  startServer,
  wholeConversation,
} from './server.mjs';

const ROUNDS = Math.min(Number(process.env.CRASH_ROUNDS ?? 20), STORE === 'mongo' ? 5 : Infinity);
const PAIRS = STORE === 'mongo' ? 2 : 4;
const IN_FLIGHT = STORE === 'mongo' ? 8 : 32;

afterEach(async () => {
  closeAll();
  await killAll();
});

/** Two users who write to each other, and what they know to be stored. */
async function makePair(url, index) {
  const [left, right] = await Promise.all([register(url), register(url)]);
  return { index, left, right, acknowledged: [], open: new Map(), written: 0, readUpTo: 0 };
}

/** Sends one message and remembers it as open until its acknowledgement is there. */
async function write(pair, socket, receiver, again) {
  const clientId = again ?? `p${pair.index}-${(pair.written += 1)}`;
  pair.open.set(clientId, receiver);
  const sent = { receiverId: receiver.user.id, message: `text of ${clientId}`, clientId };
  const { message } = await okInTime(socket, 'private_message', sent);
  pair.open.delete(clientId);
  pair.acknowledged.push(message);
}

/** The sockets of a pair. */
function connectPair(url, pair) {
  return Promise.all([pair.left, pair.right].map((user) => connect(url, user.token, TRANSPORTS.websocket)));
}

/** Writes from both sides, first what the last round left open, until the link is cut. */
async function load([left, right], pair, onAck) {
  const socketTo = (receiver) => (receiver === pair.right ? left : right);
  const again = Promise.all(
    [...pair.open].map(([clientId, receiver]) => write(pair, socketTo(receiver), receiver, clientId)),
  );
  const writer = async (receiver) => {
    await again;
    while (socketTo(receiver).connected) {
      await write(pair, socketTo(receiver), receiver);
      onAck();
    }
  };
  const reader = async () => {
    while (right.connected) {
      const last = pair.acknowledged.findLast((message) => message.receiverId === pair.right.user.id);
      if (last) {
        await okInTime(right, 'message_read', { messageId: last.id });
        pair.readUpTo = Math.max(pair.readUpTo, last.seq);
      }
      await new Promise(setImmediate);
    }
  };
  const cut = Promise.race([left, right].map((socket) => new Promise((done) => socket.once('disconnect', done))));
  const work = [reader(), ...Array.from({ length: IN_FLIGHT }, (_, n) => writer(n % 2 ? pair.left : pair.right))];
  // What is cut off stays open: its outcome is unknown, and the next round sends it again.
  await Promise.race([Promise.all(work.map((job) => job.catch((error) => (cut.failed ??= error)))), cut]);
  // A refusal is an answer, and none is due here: it fails the test however well the other jobs fare until the cut.
  if (cut.failed instanceof assert.AssertionError || (left.connected && right.connected)) throw cut.failed;
}

test(`${ROUNDS} times kill -9 under load lose nothing acknowledged`, { skip: Boolean(REMOTE), timeout: 600_000 }, async () => {
  const server = await startServer();
  const pairs = await Promise.all(Array.from({ length: PAIRS }, (_, index) => makePair(server.url, index)));
  for (let round = 0; round < ROUNDS; round += 1) {
    // Killed after a number of acknowledgements that differs each round, not after a time.
    let left = 40 + ((round * 137) % 400);
    let reached;
    const enough = new Promise((done) => (reached = done));
    const onAck = () => {
      left -= 1;
      if (left === 0) reached();
    };
    const sockets = await Promise.all(pairs.map((pair) => connectPair(server.url, pair)));
    const loads = pairs.map((pair, index) => load(sockets[index], pair, onAck));
    await Promise.race([enough, Promise.all(loads)]);
    await server.kill();
    await Promise.all(loads);
    closeAll();
    await server.restart();
    for (const pair of pairs) {
      const messages = await wholeConversation(server.url, pair.left.token, pair.right.user.id);
      assertComplete(messages, pair.acknowledged);
      const unread = messages.filter(
        (message) => message.receiverId === pair.right.user.id && message.seq <= pair.readUpTo && !message.isRead,
      );
      assert.deepEqual(unread, [], 'a reading that was acknowledged is gone');
    }
  }
  const total = pairs.reduce((sum, pair) => sum + pair.acknowledged.length, 0);
  assert.ok(total >= ROUNDS * 40, `${total} messages`);
  assert.equal(await server.stop(), 0);
});

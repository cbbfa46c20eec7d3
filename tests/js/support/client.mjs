// The official client, with an inbox: every event is kept from the first on, so that no test races it.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { io } from 'socket.io-client';
import { assertError } from './shapes.mjs';

const WAIT_MS = 30_000;
const sockets = new Set();

function attachInbox(socket) {
  const inbox = [];
  const waiting = new Set();
  socket.onAny((name, ...args) => {
    const event = { name, args };
    for (const waiter of waiting) {
      if (waiter.wants(event)) {
        waiting.delete(waiter);
        return waiter.done(event);
      }
    }
    inbox.push(event);
  });
  socket.inbox = inbox;
  socket.waiting = waiting;
}

function open(url, token, options) {
  const socket = io(url, {
    ...(token !== undefined && { auth: { token } }),
    forceNew: true,
    reconnection: false,
    timeout: WAIT_MS,
    ...options,
  });
  sockets.add(socket);
  attachInbox(socket);
  return socket;
}

/** Connects with the official client; rejects with the `connect_error`. Never reconnects unless told to. */
export function connect(url, token, options = {}) {
  const socket = open(url, token, options);
  return new Promise((done, failed) => {
    socket.once('connect', () => done(socket));
    socket.once('connect_error', failed);
  });
}

/** The ways in which the official client may be told to connect. */
export const TRANSPORTS = {
  websocket: { transports: ['websocket'] },
  polling: { transports: ['polling'] },
  upgrade: { transports: ['polling', 'websocket'] },
};

/** Waits until the client has left polling for the websocket. */
export const upgraded = (socket) =>
  socket.io.engine.transport.name === 'websocket'
    ? Promise.resolve()
    : new Promise((done) => socket.io.engine.once('upgrade', done));

/** Waits for the client's own `disconnect`: its reason. */
export const disconnected = (socket) =>
  socket.connected ? new Promise((done) => socket.once('disconnect', done)) : Promise.resolve('already');

/** Connects where a refusal is expected: resolves with the `connect_error`. */
export async function refusedConnect(url, token, options = {}) {
  const refusal = await connect(url, token, options).then(
    () => assert.fail('the server accepted the connection'),
    (error) => error,
  );
  if (refusal instanceof assert.AssertionError) throw refusal;
  return refusal;
}

/** Closes every client that this file has opened. */
export function closeAll() {
  for (const socket of sockets) socket.disconnect();
  sockets.clear();
}

/** Emits and resolves with the acknowledgement. */
export const emitAck = (socket, event, ...args) => socket.timeout(WAIT_MS).emitWithAck(event, ...args);

/** Emits and expects `{ok: true, …}`; resolves with it. */
export async function ok(socket, event, payload) {
  const ack = await emitAck(socket, event, payload);
  assert.equal(ack.ok, true, `${event}: ${JSON.stringify(ack)}`);
  return ack;
}

/** The same of a client that waits out a store that is away or overloaded: it tries again after the time that `unavailable` names. */
export async function okInTime(socket, event, payload) {
  const patience = Date.now() + 60_000;
  for (;;) {
    const ack = await emitAck(socket, event, payload);
    const { code, retryAfterMs: wait } = ack.error ?? {};
    if (code !== 'unavailable' || wait === undefined || Date.now() > patience) {
      assert.equal(ack.ok, true, `${event}: ${JSON.stringify(ack)}`);
      return ack;
    }
    await pause(wait);
  }
}

/** Emits and expects `{ok: false, error}` with this code; resolves with the error. */
export async function fails(socket, event, payload, code, names) {
  const ack = await emitAck(socket, event, payload);
  assert.deepEqual(Object.keys(ack).sort(), ['error', 'ok'], JSON.stringify(ack));
  assert.equal(ack.ok, false);
  assertError(ack.error, code, names);
  return ack.error;
}

/** Sends a message and resolves with it as stored. */
export const send = async (socket, receiverId, message, more = {}) =>
  (await ok(socket, 'private_message', { receiverId, message, ...more })).message;

/** Takes the next event of this name (and that `match` accepts) out of the inbox, or waits for it. */
export function nextEvent(socket, name, match = () => true) {
  const wants = (event) => event.name === name && match(...event.args);
  const index = socket.inbox.findIndex(wants);
  if (index >= 0) return Promise.resolve(socket.inbox.splice(index, 1)[0].args[0]);
  return new Promise((done, failed) => {
    const waiter = {
      wants,
      done: (event) => {
        clearTimeout(timer);
        done(event.args[0]);
      },
    };
    const timer = setTimeout(() => {
      socket.waiting.delete(waiter);
      failed(new Error(`no ${name} in ${WAIT_MS} ms; there were ${JSON.stringify(socket.inbox).slice(0, 2000)}`));
    }, WAIT_MS);
    socket.waiting.add(waiter);
  });
}

/** What has arrived under this name and nobody has taken. */
export const pending = (socket, name) =>
  socket.inbox.filter((event) => event.name === name).map((event) => event.args[0]);

let fences = 0;

/**
 * Sends a message from `from` to the user `toId` and waits until `to` has it: what was delivered to `to` before has
 * arrived by then, and what has not arrived was not delivered. Leaves nothing behind in either inbox.
 */
export async function fence(from, to, toId) {
  const text = `fence ${process.pid} ${fences++}`;
  await send(from, toId, text);
  await nextEvent(to, 'private_message', (message) => message.message === text);
}

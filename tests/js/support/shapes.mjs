// The shapes that the contract fixes, asserted to the last key.
import assert from 'node:assert/strict';

export const OBJECT_ID = /^[0-9a-f]{24}$/;
export const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const TIMES = ['deliveredAt', 'readAt', 'editedAt', 'deletedAt'];
const ERROR_KEYS = ['code', 'message', 'details', 'retryAfterMs'];

function onlyKeys(value, allowed, what) {
  const extra = Object.keys(value).filter((key) => !allowed.includes(key));
  assert.deepEqual(extra, [], `${what} has keys that the contract does not name`);
}

/** `{code, message, details?, retryAfterMs?}`; `details` must mention `names` where given. */
export function assertError(error, code, names) {
  assert.ok(error && typeof error === 'object', `expected an error ${code}, got ${JSON.stringify(error)}`);
  assert.equal(error.code, code, JSON.stringify(error));
  onlyKeys(error, ERROR_KEYS, 'the error');
  assert.equal(typeof error.message, 'string');
  assert.notEqual(error.message, '');
  if ('details' in error) assert.equal(typeof error.details, 'string');
  if ('retryAfterMs' in error) assert.ok(Number.isSafeInteger(error.retryAfterMs) && error.retryAfterMs >= 0);
  if (names) assert.ok(error.details?.includes(names), `details should name ${names}: ${JSON.stringify(error)}`);
}

/** A `Message` as the wire shows it, with these fields. */
export function assertMessage(message, fields = {}) {
  onlyKeys(
    message,
    ['id', 'senderId', 'receiverId', 'message', 'timestamp', 'isRead', 'clientId', 'seq', ...TIMES],
    'the message',
  );
  for (const id of [message.id, message.senderId, message.receiverId]) assert.match(id, OBJECT_ID);
  assert.equal(typeof message.message, 'string');
  assert.match(message.timestamp, TIME);
  assert.equal(typeof message.isRead, 'boolean');
  assert.ok(Number.isSafeInteger(message.seq) && message.seq >= 1, `seq ${message.seq}`);
  assert.equal('readAt' in message, message.isRead, 'readAt stands where isRead is true');
  for (const name of TIMES) if (name in message) assert.match(message[name], TIME, name);
  if (message.isRead) assert.ok(message.deliveredAt <= message.readAt, 'what is read was delivered');
  for (const [key, value] of Object.entries(fields)) assert.deepEqual(message[key], value, key);
}

/** A `User`, or with `email` a `Profile`. */
export function assertUser(user, { profile = false, ...fields } = {}) {
  const keys = ['id', 'username', 'isOnline', 'lastSeen', ...(profile ? ['email', 'createdAt', 'updatedAt'] : [])];
  assert.deepEqual(Object.keys(user).sort(), keys.sort());
  assert.match(user.id, OBJECT_ID);
  assert.equal(typeof user.isOnline, 'boolean');
  if (user.lastSeen !== null) assert.match(user.lastSeen, TIME);
  if (profile) for (const time of [user.createdAt, user.updatedAt]) assert.match(time, TIME);
  for (const [key, value] of Object.entries(fields)) assert.deepEqual(user[key], value, key);
}

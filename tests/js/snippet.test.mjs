// The client code that the seed's users have, word for word: it must work unchanged.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { io } from 'socket.io-client';
import { killAll, register, startServer } from './server.mjs';

afterEach(killAll);

test('the seed\'s own client snippet works unchanged', async () => {
  const server = await startServer();
  const ann = await register(server.url);
  const bob = await register(server.url);
  const url = server.url;
  const received = new Promise((done) => {
    const token = bob.token;
    // The snippet of the receiving side:
    const socket = io(url, { auth: { token } });
    socket.on('private_message', (message) => {
      socket.emit('message_read', { messageId: message.id });
      done([message, socket]);
    });
    socket.on('connect', write);
  });
  let own, read, sender;
  const confirmed = new Promise((done) => (own = done));
  const seen = new Promise((done) => (read = done));

  function write() {
    const token = ann.token;
    const receiverId = bob.user.id;
    // The snippet of the sending side: no callback, the confirmation is the event.
    const socket = io(url, { auth: { token } });
    sender = socket;
    socket.on('connect', () => {
      socket.emit('typing', { receiverId, isTyping: true });
      socket.emit('private_message', { receiverId, message: 'Hello' });
    });
    socket.on('private_message', (message) => own(message));
    socket.on('message_read', ({ messageId }) => read(messageId));
    socket.on('error', ({ message }) => own(Promise.reject(new Error(message))));
  }

  const [message, receiver] = await received;
  assert.equal(message.message, 'Hello');
  assert.equal(message.senderId, ann.user.id);
  assert.deepEqual(await confirmed, message);
  assert.equal(await seen, message.id);
  sender.close();
  receiver.close();
  await server.stop();
});

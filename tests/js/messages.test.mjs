// private_message over every transport: who gets it, what it looks like, and what is refused.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  TRANSPORTS,
  assertError,
  assertMessage,
  closeAll,
  connect,
  emitAck,
  fails,
  fence,
  nextEvent,
  ok,
  pending,
  register,
  send,
  startServer,
  upgraded,
} from './server.mjs';

let server;
before(async () => (server = await startServer()));
after(async () => {
  closeAll();
  await server.stop();
});

for (const [name, options] of Object.entries(TRANSPORTS)) {
  describe(`private_message over ${name}`, () => {
    let ann, bob, phone, desk, bobPhone, bobDesk;
    before(async () => {
      [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
      [phone, desk, bobPhone, bobDesk] = await Promise.all(
        [ann, ann, bob, bob].map((user) => connect(server.url, user.token, options)),
      );
      if (name === 'upgrade') await Promise.all([phone, desk, bobPhone, bobDesk].map(upgraded));
    });

    test('with a callback it reaches every device but the sending one', async () => {
      const { message } = await ok(phone, 'private_message', { receiverId: bob.user.id, message: 'hi' });
      const fields = { senderId: ann.user.id, receiverId: bob.user.id, message: 'hi', isRead: false };
      assertMessage(message, fields);
      assert.ok(!('clientId' in message));
      for (const device of [bobPhone, bobDesk, desk]) {
        assert.deepEqual(await nextEvent(device, 'private_message'), message);
      }
      await fence(desk, phone, bob.user.id);
      assert.deepEqual(pending(phone, 'private_message'), []);
      for (const device of [bobPhone, bobDesk]) await nextEvent(device, 'private_message');
    });

    test('without a callback the sending socket gets it as well, as its confirmation', async () => {
      phone.emit('private_message', { receiverId: bob.user.id, message: 'no callback' });
      const own = await nextEvent(phone, 'private_message');
      assertMessage(own, { senderId: ann.user.id, message: 'no callback' });
      for (const device of [bobPhone, bobDesk, desk]) {
        assert.deepEqual(await nextEvent(device, 'private_message'), own);
      }
    });

    test('a failure is an ack with a callback, and an error event without, never both', async () => {
      const wrong = { receiverId: bob.user.id, message: '' };
      await fails(phone, 'private_message', wrong, 'invalid_input', 'message');
      await fence(desk, phone, bob.user.id);
      assert.deepEqual(pending(phone, 'error'), []);
      phone.emit('private_message', wrong);
      assertError(await nextEvent(phone, 'error'), 'invalid_input', 'message');
      for (const device of [bobPhone, bobDesk]) await nextEvent(device, 'private_message');
    });

    test('a text is kept byte for byte, up to 4,000 scalar values', async () => {
      for (const text of ['  a \n\t', '👩‍👩‍👧 e\u0301 \u202e \u001f', '"\\\u2028</script>', '😀'.repeat(4000)]) {
        const message = await send(phone, bob.user.id, text);
        assert.equal(message.message, text);
        for (const device of [bobPhone, bobDesk, desk]) {
          assert.equal((await nextEvent(device, 'private_message')).message, text);
        }
      }
    });
  });
}

describe('what private_message refuses', () => {
  let ann, bob, socket, other;
  before(async () => {
    [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
    socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
    other = await connect(server.url, bob.token, TRANSPORTS.websocket);
  });

  const to = (fields) => ({ receiverId: bob.user.id, message: 'x', ...fields });
  const CASES = {
    'no receiver': [() => ({ message: 'x' }), 'invalid_input', 'receiverId'],
    'no message': [() => ({ receiverId: bob.user.id }), 'invalid_input', 'message'],
    'a receiver that is no id': [() => to({ receiverId: 'bob' }), 'invalid_input', 'receiverId'],
    'an operator as receiver': [() => to({ receiverId: { $ne: null } }), 'invalid_input', 'receiverId'],
    'an operator as message': [() => to({ message: { $gt: '' } }), 'invalid_input', 'message'],
    'a number as message': [() => to({ message: 7 }), 'invalid_input', 'message'],
    'null as message': [() => to({ message: null }), 'invalid_input', 'message'],
    'an array as message': [() => to({ message: ['x'] }), 'invalid_input', 'message'],
    'bytes as message': [() => to({ message: Buffer.from('x') }), 'invalid_input', 'message'],
    'an empty message': [() => to({ message: '' }), 'invalid_input', 'message'],
    'white space only': [() => to({ message: ' \n\u00a0\u3000' }), 'invalid_input', 'message'],
    'invisible characters only': [() => to({ message: '\u200b\u200d\u2060\ufeff' }), 'invalid_input', 'message'],
    '4,001 characters': [() => to({ message: 'é'.repeat(4001) }), 'invalid_input', 'message'],
    'a NUL': [() => to({ message: 'a\0b' }), 'invalid_input', 'message'],
    'an unknown receiver': [() => to({ receiverId: 'f'.repeat(24) }), 'not_found'],
    'oneself': [() => to({ receiverId: ann.user.id }), 'invalid_input', 'receiverId'],
    'an empty clientId': [() => to({ clientId: '' }), 'invalid_input', 'clientId'],
    'a long clientId': [() => to({ clientId: 'x'.repeat(65) }), 'invalid_input', 'clientId'],
    'a clientId with a space': [() => to({ clientId: 'a b' }), 'invalid_input', 'clientId'],
    'a number as clientId': [() => to({ clientId: 1 }), 'invalid_input', 'clientId'],
    'an array as payload': [() => [bob.user.id, 'x'], 'invalid_input'],
    'a string as payload': [() => 'x', 'invalid_input'],
    'null as payload': [() => null, 'invalid_input'],
  };
  for (const [name, [payload, code, field]] of Object.entries(CASES)) {
    test(`${name}: ${code}, as ack and as event`, async () => {
      const error = await fails(socket, 'private_message', payload(), code, field);
      socket.emit('private_message', payload());
      assert.deepEqual(await nextEvent(socket, 'error'), error);
    });
  }

  test('no payload at all: invalid_input', async () => {
    const ack = await emitAck(socket, 'private_message');
    assertError(ack.error, 'invalid_input');
    socket.emit('private_message');
    assertError(await nextEvent(socket, 'error'), 'invalid_input');
  });

  test('none of the refused messages was delivered or stored', async () => {
    await fence(socket, other, bob.user.id);
    assert.deepEqual(pending(other, 'private_message'), []);
    const history = await ok(other, 'get_chat_history', { otherUserId: ann.user.id });
    assert.equal(history.messages.length, 1);
    assert.equal(history.messages[0].seq, 1);
  });

  test('forged fields are ignored', async () => {
    const forged = {
      senderId: bob.user.id,
      id: 'a'.repeat(24),
      _id: 'a'.repeat(24),
      timestamp: '1999-01-01T00:00:00.000Z',
      seq: 1,
      isRead: true,
      readAt: '1999-01-01T00:00:00.000Z',
    };
    const before = Date.now();
    const message = await send(socket, bob.user.id, 'forged', forged);
    assertMessage(message, { senderId: ann.user.id, isRead: false, seq: 2 });
    assert.notEqual(message.id, forged.id);
    assert.ok(Math.abs(Date.parse(message.timestamp) - before) < 60_000);
    assert.deepEqual(await nextEvent(other, 'private_message'), message);
  });

  test('ids are accepted in upper case and given in lower', async () => {
    const message = await send(socket, bob.user.id.toUpperCase(), 'upper');
    assert.equal(message.receiverId, bob.user.id);
    assert.equal((await nextEvent(other, 'private_message')).receiverId, bob.user.id);
  });

  test('an unknown event is ignored, and its callback never called', async () => {
    let called = false;
    socket.emit('no_such_event', { a: 1 }, () => (called = true));
    socket.emit('constructor', {});
    socket.emit('', 1);
    await fence(socket, other, bob.user.id);
    assert.equal(called, false);
    assert.deepEqual(pending(socket, 'error'), []);
  });
});

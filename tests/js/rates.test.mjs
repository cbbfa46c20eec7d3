// How often things may be done: by address, account, user and socket; and that it hurts nobody else.
import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { io } from 'socket.io-client';
import {
  PacketSocket,
  PollingSession,
  REMOTE,
  TRANSPORTS,
  assertError,
  closeAll,
  connect,
  emitAck,
  killAll,
  login,
  nextEvent,
  ok,
  register,
  request,
  rest,
  startServer,
  uniqueName,
} from './server.mjs';

afterEach(async () => {
  closeAll();
  await killAll();
});

const limited = (env = {}) => startServer({ env: { RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.1', ...env } });
const from = (address) => ({ 'x-forwarded-for': address });
const HANDSHAKE = '/socket.io/?EIO=4&transport=polling';

/** The error of the contract with its wait: in the body, and in the header. */
function assertLimited(answer) {
  assert.equal(answer.status, 429, answer.text);
  assertWait(answer.json);
  const seconds = Math.ceil(answer.json.retryAfterMs / 1000);
  assert.equal(answer.headers['retry-after'], String(seconds));
}

function assertWait(error) {
  assertError(error, 'rate_limited');
  assert.ok(Number.isInteger(error.retryAfterMs) && error.retryAfterMs > 0, JSON.stringify(error));
  assert.equal(error.details, `wait ${Math.ceil(error.retryAfterMs / 1000)} seconds`);
}

const signUp = (url, headers) => {
  const username = uniqueName();
  const body = { username, email: `${username}@example.org`, password: 'correct horse' };
  return rest(url, 'POST', '/api/auth/register', { body, headers });
};

const signIn = (url, body, headers) => rest(url, 'POST', '/api/auth/login', { body, headers });

/** `count` answers, one after the other. */
async function inTurn(count, ask) {
  const answers = [];
  for (let n = 0; n < count; n++) answers.push(await ask(n));
  return answers;
}

describe('rates', { skip: Boolean(REMOTE) }, () => {
  test('an address registers so many, and another one is not hurt', async () => {
    const { url } = await limited({ RATE_REGISTER: '3/h' });
    const answers = await inTurn(4, () => signUp(url, from('192.0.2.1')));
    assert.deepEqual(answers.map((answer) => answer.status), [201, 201, 201, 429]);
    assertLimited(answers[3]);
    assert.equal((await signUp(url, from('192.0.2.2'))).status, 201);
  });

  test('an account takes so many logins from anywhere, whether or not it exists, good or bad, by name or address, in any case', async () => {
    const { url } = await limited({ RATE_LOGIN: '3/h account, 1000/h address' });
    const ann = await register(url, { username: uniqueName('Ann') });
    for (const name of [ann.user.username, uniqueName('nobody')]) {
      const answers = await inTurn(4, (n) =>
        signIn(url, { username: n % 2 ? name.toUpperCase() : name, password: 'wrong horse' }, from(`192.0.2.${n}`)),
      );
      assert.deepEqual(answers.map((answer) => answer.status), [401, 401, 401, 429]);
      assertLimited(answers[3]);
    }
    const good = await signIn(url, { username: ann.user.username, password: ann.password });
    assertLimited(good);
    const bob = await register(url);
    const names = [{ username: bob.user.username }, { email: bob.user.email.toUpperCase() }];
    const again = await inTurn(4, (n) => login(url, { ...names[n % 2], password: bob.password }));
    assert.deepEqual(again.map((answer) => answer.status), [200, 200, 200, 429]);
  });

  test('an address makes so many attempts at any accounts, and one that can not be read is an attempt', async () => {
    const { url } = await limited({ RATE_LOGIN: '1000/h account, 4/h address' });
    const attempt = (n, address) => signIn(url, { username: `user${n}`, password: 'wrong horse' }, from(address));
    assert.equal((await signIn(url, { password: 5 }, from('192.0.2.1'))).status, 400);
    const answers = await inTurn(4, (n) => attempt(n, '192.0.2.1'));
    assert.deepEqual(answers.map((answer) => answer.status), [401, 401, 401, 429]);
    assert.equal((await attempt(0, '192.0.2.2')).status, 401);
  });

  test('X-Forwarded-For counts from a trusted proxy alone, and only what that proxy wrote', async () => {
    const trusting = await limited({ RATE_REGISTER: '2/h', TRUSTED_PROXIES: '127.0.0.0/8, 10.0.0.0/8' });
    // The client invents the left end; the right end is the proxies'.
    const spoofed = await inTurn(3, (n) => signUp(trusting.url, from(`203.0.113.${n}, 192.0.2.1, 10.0.0.${n}`)));
    assert.deepEqual(spoofed.map((answer) => answer.status), [201, 201, 429]);
    const block = await inTurn(3, (n) => signUp(trusting.url, from(`2001:db8:1:2::${n + 1}`)));
    assert.deepEqual(block.map((answer) => answer.status), [201, 201, 429]);
    assert.equal((await signUp(trusting.url, from('2001:db8:1:3::1'))).status, 201);

    const plain = await limited({ RATE_REGISTER: '2/h', TRUSTED_PROXIES: undefined });
    const ignored = await inTurn(3, (n) => signUp(plain.url, from(`203.0.113.${n}`)));
    assert.deepEqual(ignored.map((answer) => answer.status), [201, 201, 429]);
  });

  test('a user sends so many messages over all sockets, each refusal is answered in its turn', async () => {
    const { url } = await limited({ RATE_MESSAGES: '1/h burst 5' });
    const [ann, bob] = [await register(url), await register(url)];
    const sockets = [await connect(url, ann.token, TRANSPORTS.websocket), await connect(url, ann.token, TRANSPORTS.polling)];
    const text = (n) => ({ receiverId: bob.user.id, message: `message ${n}` });
    for (let n = 0; n < 5; n++) assert.equal((await emitAck(sockets[n % 2], 'private_message', text(n))).ok, true);
    for (const socket of sockets) {
      const answer = await emitAck(socket, 'private_message', text(9));
      assert.equal(answer.ok, false);
      assertWait(answer.error);
    }
    sockets[0].emit('private_message', text(9));
    assertWait(await nextEvent(sockets[0], 'error'));
    await ok(sockets[0], 'typing', { receiverId: bob.user.id, isTyping: true });
    const other = await connect(url, bob.token, TRANSPORTS.websocket);
    await ok(other, 'private_message', { receiverId: ann.user.id, message: 'mine are counted apart' });
  });

  test('a socket that does too much is told so, goes on when it waits, and is closed when it does not heed', async () => {
    const { url } = await limited({ RATE_EVENTS: '20/s burst 20', RATE_MESSAGES: '1000/s' });
    const ann = await register(url);
    const typing = (id) => `42${id}["typing",{"receiverId":"${ann.user.id}","isTyping":1}]`;
    for (const kind of [PacketSocket, PollingSession]) {
      const socket = await kind.open(url, { token: ann.token });
      const send = (ids) => (kind === PollingSession ? socket.post(...ids.map(typing)) : Promise.all(ids.map((id) => socket.send(typing(id)))));
      const ids = (first, count) => Array.from({ length: count }, (_, n) => first + n);
      await send(ids(10, 70));
      // Joining is none of the twenty.
      assert.match(await socket.packet(/^4329\[/), /invalid_input/);
      // However much came at once, the last one is told as well.
      const last = JSON.parse((await socket.packet(/^4379\[/)).slice(4))[0];
      assertWait(last.error);
      // The wait that was told is what is tested.
      await new Promise((done) => setTimeout(done, last.error.retryAfterMs));
      await send([99]);
      assert.match(await socket.packet(/^4399\[/), /invalid_input/);
      const flood = send(ids(100, 300)).catch(() => {});
      if (kind === PacketSocket) assert.equal(await socket.closed(), 1008);
      await flood;
      if (kind === PollingSession) {
        let answer = await socket.get();
        while (answer.status === 200) answer = await socket.get();
        assert.equal(answer.json.code, 1, 'the session is gone');
      }
      socket.destroy?.();
    }
  });

  test('a handshake past its rate gets 429 over both transports, and the official client comes back by itself', async () => {
    const { url } = await limited({ RATE_HANDSHAKES: '1/s burst 3' });
    const ann = await register(url);
    const answers = await inTurn(5, () => request(url + HANDSHAKE, { headers: { origin: url } }));
    assert.deepEqual(answers.slice(0, 3).map((answer) => answer.status), [200, 200, 200]);
    assertLimited(answers[4]);
    assert.equal(answers[4].headers['access-control-allow-origin'], url);
    for (const transports of Object.values(TRANSPORTS)) {
      while ((await request(url + HANDSHAKE)).status === 200);
      const options = { ...transports, auth: { token: ann.token }, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };
      const socket = io(url, options);
      let refusals = 0;
      socket.on('connect_error', () => refusals++);
      try {
        await new Promise((done) => socket.once('connect', done));
        assert.ok(refusals > 0, 'it was refused before it came back');
      } finally {
        socket.disconnect();
      }
    }
    assert.equal((await request(url + HANDSHAKE, { headers: from('192.0.2.77') })).status, 200, 'another address');
  });

  test('an address has so many sessions at once, whatever their transport', async () => {
    const { url } = await limited({ MAX_SOCKETS_PER_ADDRESS: '2' });
    const ann = await register(url);
    const one = await connect(url, ann.token, TRANSPORTS.websocket);
    await connect(url, ann.token, TRANSPORTS.polling);
    assertLimited(await request(url + HANDSHAKE));
    assert.equal((await request(url + HANDSHAKE, { headers: from('192.0.2.9') })).status, 200);
    one.disconnect();
    let answer;
    do answer = await request(url + HANDSHAKE);
    while (answer.status === 429);
    assert.equal(answer.status, 200);
  });

  test('a victim beside attackers keeps its latency', async () => {
    const { url } = await limited();
    const [ann, bob, eve] = [await register(url), await register(url), await register(url)];
    const socket = await connect(url, ann.token, TRANSPORTS.websocket);
    const text = { receiverId: bob.user.id, message: 'hello' };
    const waits = [];
    let over = false;
    const flood = (async () => {
      while (!over) {
        const attacker = await PacketSocket.open(url, { token: eve.token, headers: from('192.0.2.66') }).catch(() => {});
        if (!attacker) continue;
        const packet = `421["private_message",{"receiverId":"${bob.user.id}","message":"x"}]`;
        await Promise.all(Array.from({ length: 2_000 }, () => attacker.send(packet))).catch(() => {});
        attacker.destroy();
      }
    })();
    for (let n = 0; n < 30; n++) {
      const start = performance.now();
      assert.equal((await emitAck(socket, 'private_message', text)).ok, true);
      waits.push(performance.now() - start);
    }
    over = true;
    await flood;
    waits.sort((a, b) => a - b);
    assert.ok(waits[15] < 500, `median ${waits[15]} ms`);
  });
});

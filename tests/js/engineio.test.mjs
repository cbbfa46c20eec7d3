// Engine.IO by hand: refusals, long-polling, the upgrade, heartbeats and half-made sessions.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  OPCODE,
  PacketSocket,
  PollingSession,
  RawWebSocket,
  TRANSPORTS,
  closeAll,
  connect,
  disconnected,
  nextEvent,
  ok,
  register,
  request,
  startServer,
  upgraded,
} from './server.mjs';

let server, ann, bob;
before(async () => {
  server = await startServer();
  [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
});
after(async () => {
  closeAll();
  await server.stop();
});

const engine = (query, options) => request(`${server.url}/socket.io/?${query}`, options);

describe('refusals', () => {
  const REFUSALS = [
    ['an unknown transport', 'EIO=4&transport=carrier-pigeon', {}, 0],
    ['no transport', 'EIO=4', {}, 0],
    ['an unknown session', 'EIO=4&transport=polling&sid=nobody', {}, 1],
    ['a POST to an unknown session', 'EIO=4&transport=polling&sid=nobody', { method: 'POST', body: '3' }, 1],
    ['a handshake by POST', 'EIO=4&transport=polling', { method: 'POST', body: '40' }, 2],
    ['websocket without an upgrade', 'EIO=4&transport=websocket', {}, 3],
    ['websocket without an upgrade, of an unknown session', 'EIO=4&transport=websocket&sid=nobody', {}, 1],
    ['protocol 3', 'EIO=3&transport=polling', {}, 5],
    ['no protocol', 'transport=polling', {}, 5],
  ];
  for (const [name, query, options, code] of REFUSALS) {
    test(`${name}: code ${code} with a body and CORS headers`, async () => {
      const origin = 'http://localhost:3000';
      const answer = await engine(query, { ...options, headers: { origin } });
      assert.equal(answer.status, 400, answer.text);
      assert.deepEqual(Object.keys(answer.json).sort(), ['code', 'message']);
      assert.equal(answer.json.code, code);
      assert.equal(answer.headers['access-control-allow-origin'], origin);
    });
  }

  test('a foreign origin: code 4 and 403, on both transports', async () => {
    const headers = { origin: 'https://evil.example' };
    const answer = await engine('EIO=4&transport=polling', { headers });
    assert.deepEqual([answer.status, answer.json.code], [403, 4]);
    await assert.rejects(RawWebSocket.open(server.url, { headers: { Origin: headers.origin } }), (error) => {
      assert.match(error.answer, /^HTTP\/1\.1 403/);
      assert.match(error.answer, /"code":4/);
      return true;
    });
  });

  test('a websocket for an unknown session: code 1', async () => {
    const path = '/socket.io/?EIO=4&transport=websocket&sid=nobody';
    await assert.rejects(RawWebSocket.open(server.url, { path }), (error) => {
      assert.match(error.answer, /^HTTP\/1\.1 400/);
      assert.match(error.answer, /"code":1/);
      return true;
    });
  });
});

describe('long-polling', () => {
  test('the handshake names the session, the upgrade and the limits', async () => {
    const { handshake } = await PollingSession.open(server.url);
    const { sid, ...rest } = handshake;
    assert.ok(sid.length >= 20);
    assert.deepEqual(rest, { upgrades: ['websocket'], pingInterval: 25_000, pingTimeout: 20_000, maxPayload: 1_000_000 });
  });

  test('several packets go in one POST and come in one GET', async () => {
    const session = await PollingSession.open(server.url, { token: ann.token });
    const bad = (id) => `42${id}["typing",{"receiverId":"x","isTyping":true}]`;
    assert.equal((await session.post(bad(1), bad(2), bad(3))).text, 'ok');
    for (const id of [1, 2, 3]) assert.match(await session.packet(/^43/), new RegExp(`^43${id}\\[`));
  });

  test('an attachment comes as base64', async () => {
    const session = await PollingSession.open(server.url, { token: ann.token });
    const payload = { receiverId: bob.user.id, message: { _placeholder: true, num: 0 } };
    await session.post(`451-7["private_message",${JSON.stringify(payload)}]`, 'bAQIDBA==');
    const [ack] = JSON.parse((await session.packet(/^437\[/)).slice(3));
    assert.equal(ack.error.code, 'invalid_input');
  });

  test('a message waits for the next GET, and a waiting GET is answered at once', async () => {
    const session = await PollingSession.open(server.url, { token: bob.token });
    const socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
    await ok(socket, 'private_message', { receiverId: bob.user.id, message: 'waits' });
    assert.match(await session.packet(/^42\["private_message"/), /waits/);
    const waiting = session.packet(/^42\["private_message"/);
    await ok(socket, 'private_message', { receiverId: bob.user.id, message: 'arrives' });
    assert.match(await waiting, /arrives/);
  });

  test('a second GET while one waits ends the session', async () => {
    const session = await PollingSession.open(server.url);
    const answers = await Promise.all([session.get(), session.get()]);
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 400]);
    assert.equal(answers.find((answer) => answer.status === 200).text, '1');
    assert.equal((await session.get()).json.code, 1);
  });

  test('a malformed payload gets 400 and ends the session', async () => {
    for (const body of ['abc', '9', 'b====', '']) {
      const session = await PollingSession.open(server.url, { token: ann.token });
      assert.equal((await session.post(body)).status, 400, JSON.stringify(body));
      assert.equal((await session.get()).status, 400);
    }
  });

  test('a POST over maxPayload gets 413', async () => {
    const session = await PollingSession.open(server.url, { token: ann.token });
    assert.equal((await session.post(`4${'x'.repeat(1_000_000)}`)).status, 413);
  });

  test('a close packet ends the session', async () => {
    const session = await PollingSession.open(server.url, { token: ann.token });
    await session.post('1');
    assert.equal((await session.get()).status, 400);
  });
});

describe('the upgrade', () => {
  const probe = async (session) => {
    const path = `/socket.io/?EIO=4&transport=websocket&sid=${session.handshake.sid}`;
    const raw = await RawWebSocket.open(server.url, { path });
    await raw.send(OPCODE.text, '2probe');
    assert.equal(await raw.text(), '3probe');
    return raw;
  };

  test('frees the waiting GET, moves the session, and closes the old way', async () => {
    const session = await PollingSession.open(server.url, { token: bob.token });
    await session.packet(/^42\["online_users"/);
    const waiting = session.get();
    const raw = await probe(session);
    assert.equal((await waiting).text, '6');
    await raw.send(OPCODE.text, '5');
    await raw.send(OPCODE.text, '421["typing",{}]');
    assert.match(await raw.text(), /^431\[/);
    assert.equal((await session.get()).status, 400);
    assert.equal((await session.post('3')).status, 400);
    raw.destroy();
  });

  test('a session that has a websocket takes no second one', async () => {
    const first = await PacketSocket.open(server.url, { token: ann.token });
    const path = `/socket.io/?EIO=4&transport=websocket&sid=${first.handshake.sid}`;
    const second = await RawWebSocket.open(server.url, { path }).catch((error) => error);
    if (second instanceof RawWebSocket) await second.closed();
    const ack = await first.call(1, 'typing', {});
    assert.equal(ack.error.code, 'invalid_input');
    first.destroy();
  });

  test('a wrong or dropped probe leaves the polling session alone', async () => {
    const session = await PollingSession.open(server.url, { token: ann.token });
    const path = `/socket.io/?EIO=4&transport=websocket&sid=${session.handshake.sid}`;
    const wrong = await RawWebSocket.open(server.url, { path });
    await wrong.send(OPCODE.text, '4nonsense');
    await wrong.closed();
    (await probe(session)).destroy();
    await session.post('429["typing",{}]');
    assert.match(await session.packet(/^43/), /^439\[/);
  });

  test('nothing is lost, doubled or turned round while both sides upgrade', async () => {
    for (let round = 0; round < 10; round += 1) {
      const [to, from] = await Promise.all([
        connect(server.url, bob.token, TRANSPORTS.upgrade),
        connect(server.url, ann.token, TRANSPORTS.upgrade),
      ]);
      const texts = Array.from({ length: 100 }, (_, n) => `${round}/${n}`);
      const acks = Promise.all(
        texts.map((message) => ok(from, 'private_message', { receiverId: bob.user.id, message })),
      );
      for (const text of texts) assert.equal((await nextEvent(to, 'private_message')).message, text);
      await acks;
      await Promise.all([upgraded(to), upgraded(from)]);
      closeAll();
    }
  });
});

describe('heartbeats and deadlines', () => {
  // One server gives up soon. The other one pings as often, but waits long for a test that is to stay and gets little of
  // the machine; it sends a next ping only after a pong.
  let quick, patient;
  before(async () => {
    const env = { PING_INTERVAL_MS: '300', PRESENCE_GRACE_MS: '100' };
    [quick, patient] = await Promise.all([
      startServer({ env: { ...env, PING_TIMEOUT_MS: '2000', CONNECT_TIMEOUT_MS: '2000' } }),
      startServer({ env: { ...env, PING_TIMEOUT_MS: '15000', CONNECT_TIMEOUT_MS: '2000' } }),
    ]);
  });
  after(() => Promise.all([quick.stop(), patient.stop()]));

  test('the official client answers pings and stays, on every transport', async () => {
    const { token } = await register(patient.url);
    for (const options of Object.values(TRANSPORTS)) {
      const socket = await connect(patient.url, token, options);
      for (let ping = 0; ping < 4; ping += 1) await new Promise((done) => socket.io.engine.once('ping', done));
      assert.ok(socket.connected);
    }
    closeAll();
  });

  test('a client that does not answer a ping is closed, on both transports', async () => {
    const [silent, watcher] = await Promise.all([register(quick.url), register(quick.url)]);
    const watching = await connect(quick.url, watcher.token);
    const socket = await PacketSocket.open(quick.url, { token: silent.token });
    await socket.packet(/^42\["online_users"/);
    assert.equal(await socket.raw.text(), '2');
    await socket.closed();
    const gone = (event) => event.userId === silent.user.id;
    await nextEvent(watching, 'user_offline', gone);

    const session = await PollingSession.open(quick.url, { token: silent.token });
    while (!(await session.packets()).includes('2'));
    await nextEvent(watching, 'user_offline', gone);
    assert.equal((await session.get()).json.code, 1);
  });

  test('a connection that never joins a namespace is closed in time', async () => {
    const socket = await PacketSocket.open(quick.url);
    await assert.rejects(socket.packet(/^nothing/));
    await socket.closed();
  });

  test('a websocket that never finishes its upgrade is closed, the polling session lives', async () => {
    const { token } = await register(patient.url);
    const session = await PollingSession.open(patient.url, { token });
    const path = `/socket.io/?EIO=4&transport=websocket&sid=${session.handshake.sid}`;
    const raw = await RawWebSocket.open(patient.url, { path });
    const closing = raw.closed();
    let id = 0;
    while (!raw.ended) {
      await session.post(`42${++id}["typing",{}]`);
      await session.packet(new RegExp(`^43${id}\\[`));
    }
    await closing;
    await session.post('42999["typing",{}]');
    await session.packet(/^43999\[/);
  });

  test('attachments that never come close the connection in time', async () => {
    const { token } = await register(quick.url);
    const socket = await PacketSocket.open(quick.url, { token });
    await socket.send('451-["private_message",{"_placeholder":true,"num":0}]');
    await assert.rejects(socket.packet(/^nothing/));
    await socket.closed();
  });

  test('the official client is told why, and comes back by itself when the link is cut', async () => {
    const { token } = await register(quick.url);
    const socket = await connect(quick.url, token, {
      ...TRANSPORTS.websocket,
      reconnection: true,
      reconnectionDelay: 10,
    });
    const { id: first, io } = socket;
    const session = io.engine.id;
    const again = new Promise((done) => socket.once('disconnect', () => socket.once('connect', done)));
    const reason = disconnected(socket);
    socket.io.engine.transport.ws._socket.destroy();
    assert.equal(await reason, 'transport close');
    await again;
    assert.notEqual(io.engine.id, session);
    assert.deepEqual([socket.id, socket.recovered], [first, true]);
  });
});

// Every case of the Engine.IO protocol's own test suite, against the echo server: with Socket.IO above it and bare, on
// both drivers. The names cite the sections of the protocol's document.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CALM, Polling, closes, engine, message, openSocket, startEcho, websocketSession } from '../support/echo.mjs';
import { OPCODE, RawWebSocket } from '../support/websocket.mjs';

const SERVERS = [
  { driver: 'owned', bare: true },
  { driver: 'mounted', bare: true },
  { driver: 'owned', bare: false },
  { driver: 'mounted', bare: false },
];

for (const { driver, bare } of SERVERS) {
  describe(`Engine.IO, ${bare ? 'bare' : 'below Socket.IO'}, ${driver}`, () => {
    let servers = [];
    let base, beatingBase, quickBase;
    before(async () => {
      const environments = [CALM, { ...CALM, PING_INTERVAL_MS: '100' }, {}];
      servers = await Promise.all(environments.map((env) => startEcho({ driver, bare, env })));
      [base, beatingBase, quickBase] = servers.map(({ url }) => `${url}/${bare ? 'engine.io' : 'socket.io'}/`);
    });
    after(() => Promise.all(servers.map((server) => server.stop())));

    const assertHandshake = ({ sid, ...rest }, upgrades) => {
      assert.equal(typeof sid, 'string');
      assert.deepEqual(rest, { upgrades, pingInterval: 300, pingTimeout: 200, maxPayload: 1_000_000 });
    };

    test('Handshake: a session opens over long-polling', async () => {
      assertHandshake((await Polling.open(quickBase)).handshake, ['websocket']);
    });

    test('Handshake: a session opens over WebSocket', async () => {
      const [socket, handshake] = await websocketSession(quickBase);
      assertHandshake(handshake, []);
      socket.destroy();
    });

    for (const [name, query, method] of [
      ['no EIO', 'transport=polling'],
      ['an EIO that is not 4', 'EIO=abc&transport=polling'],
      ['no transport', 'EIO=4'],
      ['an unknown transport', 'EIO=4&transport=abc'],
      ['POST', 'EIO=4&transport=polling', 'POST'],
      ['PUT', 'EIO=4&transport=polling', 'PUT'],
    ]) {
      test(`Handshake: ${name} is refused over HTTP`, async () => {
        assert.equal((await engine(base, query, { method })).status, 400);
      });
    }

    for (const query of ['transport=websocket', 'EIO=abc&transport=websocket', 'EIO=4', 'EIO=4&transport=abc']) {
      test(`Handshake: a WebSocket with ${query} is refused`, async () => {
        const path = `${new URL(base).pathname}?${query}`;
        await assert.rejects(RawWebSocket.open(new URL(base).origin, { path }), (error) => /^HTTP\/1\.1 400/.test(error.answer));
      });
    }

    test('Heartbeat: a ping an interval, answered, over long-polling', async () => {
      const session = await Polling.open(beatingBase);
      for (let beat = 0; beat < 3; beat += 1) {
        const { status, text } = await session.get();
        assert.deepEqual([status, text], [200, '2']);
        assert.equal((await session.post('3')).text, 'ok');
      }
    });

    test('Heartbeat: a ping an interval, answered, over WebSocket', async () => {
      const [socket] = await websocketSession(beatingBase);
      for (let beat = 0; beat < 3; beat += 1) {
        assert.equal(await socket.text(), '2');
        await socket.send(OPCODE.text, '3');
      }
      socket.destroy();
    });

    test('Heartbeat: without a pong the session ends, over long-polling', async () => {
      const session = await Polling.open(quickBase);
      const heard = [];
      for (let answer = await session.get(); answer.status === 200; answer = await session.get()) heard.push(answer.text);
      assert.ok(['2 1', '2', '2\x1e1', '1', ''].includes(heard.join(' ')), heard.join(' '));
    });

    test('Heartbeat: without a pong the session ends, over WebSocket', async () => {
      const [socket] = await websocketSession(quickBase);
      await closes(socket);
    });

    test('Close: a close packet ends the session, and the open GET by NOOP', async () => {
      const session = await Polling.open(base);
      const waiting = session.get();
      assert.equal((await session.post('1')).status, 200);
      const { status, text } = await waiting;
      assert.deepEqual([status, text], [200, '6']);
      assert.equal((await session.get()).status, 400);
    });

    test('Close: a close packet ends the WebSocket', async () => {
      const [socket] = await websocketSession(base);
      await socket.send(OPCODE.text, '1');
      await closes(socket);
    });

    test('Upgrade: the probe is answered, a GET freed by NOOP, and the WebSocket carries the session', async () => {
      const session = await Polling.open(base);
      const socket = await session.websocket();
      const { status, text } = await session.get();
      assert.deepEqual([status, text], [200, '6']);
      await socket.send(OPCODE.text, '5');
      await assertLives(socket);
    });

    test('Upgrade: polling requests of an upgraded session are refused', async () => {
      const session = await Polling.open(base);
      const socket = await session.websocket({ upgrade: true });
      await assertLives(socket);
      assert.equal((await session.get()).status, 400);
    });

    test('Upgrade: a second WebSocket of an upgraded session is closed, and the first one lives', async () => {
      const session = await Polling.open(base);
      const socket = await session.websocket({ upgrade: true });
      const second = await openSocket(base, session.handshake.sid);
      await closes(second);
      await assertLives(socket);
    });

    test('Packet encoding: an unknown packet ends the session, over both transports', async () => {
      const session = await Polling.open(base);
      assert.equal((await session.post('abc')).status, 400);
      assert.equal((await session.get()).status, 400);
      const [socket] = await websocketSession(base);
      await socket.send(OPCODE.text, 'abc');
      await closes(socket);
    });

    test('HTTP long-polling: a second GET ends the session', async () => {
      const session = await Polling.open(base);
      const answers = await Promise.all([session.get(), session.get()]);
      assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 400]);
      assert.equal(answers.find((answer) => answer.status === 200).text, '1');
      assert.equal((await session.get()).status, 400);
    });

    async function assertLives(socket) {
      await socket.send(OPCODE.text, bare ? '4hello' : '40');
      assert.match(await message(socket), bare ? /^4hello$/ : /^40\{"sid":/);
      socket.destroy();
    }

    if (!bare) return;

    for (const packets of [['4hello'], ['4test1', '4test2', '4test3'], ['4hello', 'bAQIDBA==']]) {
      test(`Message: ${packets.join(' and ')} come back over long-polling`, async () => {
        const session = await Polling.open(base);
        assert.equal((await session.post(...packets)).text, 'ok');
        const { status, text } = await session.get();
        assert.deepEqual([status, text], [200, packets.join('\x1e')]);
      });
    }

    test('Message: text and bytes come back over WebSocket', async () => {
      const [socket] = await websocketSession(base);
      await socket.send(OPCODE.text, '4hello');
      assert.equal(await message(socket), '4hello');
      await socket.send(OPCODE.binary, Buffer.from([1, 2, 3, 4]));
      assert.deepEqual(await message(socket), Buffer.from([1, 2, 3, 4]));
      socket.destroy();
    });
  });
}

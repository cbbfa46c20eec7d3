// What the protocols' own suites leave open about Engine.IO over HTTP: refusals, headers, bodies, ids, and what becomes of
// a session when a client misbehaves. Against the echo server on both drivers; names cite the protocol document's sections.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { CALM, Polling, closes, engine, message, openSocket, startEcho, websocketSession } from '../support/echo.mjs';
import { OPCODE, RawWebSocket } from '../support/websocket.mjs';

const ORIGIN = 'http://elsewhere.example';
const MAX_PAYLOAD = 20_000;

for (const driver of ['owned', 'mounted']) {
  describe(`Engine.IO over HTTP, ${driver}`, () => {
    let servers = [];
    let base, bare, quick;
    before(async () => {
      const env = { ...CALM, MAX_PAYLOAD_BYTES: String(MAX_PAYLOAD) };
      servers = await Promise.all([
        startEcho({ driver, env }),
        startEcho({ driver, env, bare: true }),
        startEcho({ driver, env: { ...CALM, PING_INTERVAL_MS: '700', PING_TIMEOUT_MS: '600' } }),
      ]);
      base = `${servers[0].url}/socket.io/`;
      bare = `${servers[1].url}/engine.io/`;
      quick = `${servers[2].url}/socket.io/`;
    });
    after(() => Promise.all(servers.map((server) => server.stop())));

    /** A Socket.IO session over polling that has joined `/` and taken its greeting. */
    async function joined(at = base) {
      const session = await Polling.open(at);
      await session.post('40');
      let seen = '';
      while (!seen.includes('42["auth"')) seen += (await session.get()).text;
      return { session, id: JSON.parse(/40(\{.*?\})/.exec(seen)[1]).sid };
    }

    async function lives(session) {
      assert.equal((await session.post('427["message-with-ack","alive"]')).text, 'ok');
      assert.equal((await session.get()).text, '437["alive"]');
    }

    async function isOver(session) {
      const { status, json } = await session.get();
      assert.deepEqual([status, json.code], [400, 1]);
    }

    test('Handshake: ids are long, differ, and fit into a query; the Socket.IO id is another and opens nothing', async () => {
      const sessions = await Promise.all(Array.from({ length: 200 }, () => Polling.open(base)));
      const sids = sessions.map(({ handshake }) => handshake.sid);
      assert.equal(new Set(sids).size, sids.length);
      for (const sid of sids) assert.match(sid, /^[A-Za-z0-9_-]{20,}$/);
      // Of 120 random bits no two ids share half: neither a counter nor a clock is in them.
      for (const at of [0, 10]) assert.equal(new Set(sids.map((sid) => sid.slice(at, at + 10))).size, sids.length);
      const { session, id } = await joined();
      assert.notEqual(id, session.handshake.sid);
      const stolen = await engine(base, `EIO=4&transport=polling&sid=${id}`);
      assert.deepEqual([stolen.status, stolen.json.code], [400, 1]);
    });

    const REFUSALS = [
      ...['', 'abc', '__proto__', 'constructor', 'webtransport', 'POLLING', 'polling%00'].map((name) => [0, `EIO=4&transport=${name}`]),
      [0, 'EIO=4'],
      [0, ''],
      ...['nobody', '__proto__', 'constructor', '%00', '../..', 'x'.repeat(5_000), '%ff%fe'].map((sid) => [1, `EIO=4&transport=polling&sid=${sid}`]),
      [1, 'EIO=4&transport=polling&sid=nobody', 'POST'],
      ...['POST', 'PUT', 'DELETE', 'PATCH'].map((method) => [2, 'EIO=4&transport=polling', method]),
      [2, 'EIO=4&transport=websocket', 'POST'],
      [3, 'EIO=4&transport=websocket'],
      [3, 'EIO=4&transport=websocket&sid=nobody', 'POST'],
      ...['2', '3', '5', 'abc', '', '04', '4.0', '-4'].map((version) => [5, `EIO=${version}&transport=polling`]),
      [5, 'transport=polling'],
    ];
    for (const [code, query, method = 'GET'] of REFUSALS) {
      test(`Handshake: ${method} ?${query.slice(0, 60)} is refused with code ${code}`, async () => {
        const answer = await engine(base, query, { method, headers: { origin: ORIGIN } });
        assert.equal(answer.status, 400);
        assert.deepEqual(Object.keys(answer.json), ['code', 'message']);
        assert.equal(answer.json.code, code);
        assert.equal(typeof answer.json.message, 'string');
        assert.equal(answer.headers['content-type'], 'application/json');
        assert.equal(answer.headers['cache-control'], 'no-store');
        assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
      });
    }

    test('Handshake: an upgrade with the transport polling is refused, with a session and without, and the session lives on', async () => {
      const { session } = await joined();
      const headers = { connection: 'upgrade', upgrade: 'websocket' };
      for (const [method, sid] of [['GET', ''], ['GET', `&sid=${session.handshake.sid}`], ['POST', `&sid=${session.handshake.sid}`]]) {
        const body = method === 'POST' ? '42["message"]' : undefined;
        const answer = await engine(base, `EIO=4&transport=polling${sid}`, { method, headers, body });
        assert.deepEqual([answer.status, answer.json?.code], [400, 3], `${method} ${sid}`);
      }
      await lives(session);
    });

    test('Handshake: a WebSocket of another version is refused and told which one is spoken', async () => {
      for (const [version, spoken] of [['8', '13'], [undefined, undefined]]) {
        const headers = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
        if (version) headers['sec-websocket-version'] = version;
        const answer = await engine(base, 'EIO=4&transport=websocket', { headers });
        assert.deepEqual([answer.status, answer.json?.code], [400, 3]);
        assert.equal(answer.headers['sec-websocket-version'], spoken);
      }
    });

    test("HTTP long-polling: requests that do not fit a session's transport are refused, and it lives on", async () => {
      const { session } = await joined();
      const { sid } = session.handshake;
      for (const [method, query] of [
        ['GET', `EIO=4&transport=websocket&sid=${sid}`],
        ['POST', `EIO=4&transport=websocket&sid=${sid}`],
        ['PUT', `EIO=4&transport=polling&sid=${sid}`],
        ['DELETE', `EIO=4&transport=polling&sid=${sid}`],
      ]) {
        const answer = await engine(base, query, { method });
        assert.deepEqual([answer.status, answer.json.code], [400, 3], `${method} ${query}`);
      }
      await lives(session);

      const [socket, handshake] = await websocketSession(bare);
      for (const method of ['GET', 'POST']) {
        const answer = await engine(bare, `EIO=4&transport=polling&sid=${handshake.sid}`, { method, body: method === 'POST' ? '4x' : undefined });
        assert.deepEqual([answer.status, answer.json.code], [400, 3], method);
      }
      await socket.send(OPCODE.text, '4alive');
      assert.equal(await message(socket), '4alive');
      socket.destroy();
    });

    test('HTTP long-polling: answers are UTF-8 text that nobody stores and the origin may read', async () => {
      const headers = { origin: ORIGIN };
      const opened = await engine(bare, 'EIO=4&transport=polling', { headers });
      const session = new Polling(bare, JSON.parse(opened.text.slice(1)));
      const posted = await engine(bare, session.query, { method: 'POST', body: '4€ 😀', headers });
      const got = await session.get({ headers });
      assert.equal(posted.text, 'ok');
      assert.equal(got.text, '4€ 😀');
      for (const answer of [opened, posted, got]) {
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['cache-control'], 'no-store');
        assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
        assert.equal(answer.headers['access-control-allow-credentials'], 'true');
      }
      for (const answer of [opened, got]) assert.equal(answer.headers['content-type'].toLowerCase(), 'text/plain; charset=utf-8');
    });

    test('HTTP long-polling: a preflight is answered', async () => {
      const { status, headers } = await engine(base, '', { method: 'OPTIONS', headers: { origin: ORIGIN, 'access-control-request-method': 'POST' } });
      assert.deepEqual([status, headers['access-control-allow-origin']], [204, ORIGIN]);
      assert.match(headers['access-control-allow-methods'], /POST/);
    });

    describe('answers of 1,024 bytes and more are compressed', () => {
      async function echoed(length, accepted) {
        const session = await Polling.open(bare);
        const sent = `4${'x'.repeat(length - 1)}`;
        await session.post(sent);
        const answer = await session.get({ headers: { origin: ORIGIN, ...(accepted && { 'accept-encoding': accepted }) } });
        return { sent, ...answer };
      }

      for (const [length, accepted] of [[1_024, 'gzip'], [1_024, 'gzip, deflate, br'], [MAX_PAYLOAD, 'br;q=1.0, gzip;q=0.8']]) {
        test(`${length} bytes for a client that accepts ${accepted}`, async () => {
          const { sent, status, headers, bytes } = await echoed(length, accepted);
          assert.deepEqual([status, headers['content-encoding']], [200, 'gzip']);
          assert.ok(bytes.length < 200, `${bytes.length} bytes`);
          assert.equal(Number(headers['content-length']), bytes.length);
          assert.equal(gunzipSync(bytes).toString(), sent);
          assert.equal(headers['access-control-allow-origin'], ORIGIN);
          assert.equal(headers['cache-control'], 'no-store');
          assert.match(headers['content-type'], /^text\/plain/);
          for (const name of [/origin/i, /accept-encoding/i]) assert.match(headers.vary, name);
        });
      }

      for (const [length, accepted] of [[1_023, 'gzip'], [5_000, undefined], [5_000, 'deflate, br'], [5_000, 'gzip;q=0'], [5_000, 'identity']]) {
        test(`but not ${length} bytes for a client that accepts ${accepted ?? 'nothing of it'}`, async () => {
          const { sent, headers, text } = await echoed(length, accepted);
          assert.equal(headers['content-encoding'], undefined);
          assert.equal(text, sent);
          assert.match(headers.vary, /accept-encoding/i);
        });
      }

      test('packets and attachments come out of it as they went in', async () => {
        const session = await Polling.open(bare);
        const noise = Buffer.from(Array.from({ length: 3_000 }, (_, n) => (n * n * 7919) % 251));
        const sent = ['4a', `b${noise.toString('base64')}`, '4ü€😀'.repeat(300)];
        await session.post(...sent);
        const { headers, bytes } = await session.get({ headers: { 'accept-encoding': 'gzip' } });
        assert.equal(headers['content-encoding'], 'gzip');
        assert.deepEqual(gunzipSync(bytes).toString().split('\x1e'), sent);
      });
    });

    for (const [kind, headers] of [['declares', {}], ['brings in chunks', { 'transfer-encoding': 'chunked' }]]) {
      test(`maxPayload: a body that ${kind} a byte too much is answered 413, one of just maxPayload is taken`, async () => {
        const whole = await Polling.open(bare);
        const body = `4${'x'.repeat(MAX_PAYLOAD - 1)}`;
        const length = 'transfer-encoding' in headers ? {} : { 'content-length': MAX_PAYLOAD };
        assert.equal((await engine(bare, whole.query, { method: 'POST', body, headers: { ...headers, ...length } })).text, 'ok');
        assert.equal((await whole.get()).text, body);
        const large = await Polling.open(bare);
        const answer = await engine(bare, large.query, { method: 'POST', body: `${body}x`, headers: { ...headers, origin: ORIGIN } });
        assert.equal(answer.status, 413);
        assert.equal(answer.headers['access-control-allow-origin'], ORIGIN);
        await isOver(large);
      });
    }

    test('maxPayload: a declared length alone is refused, before its body comes', async () => {
      const session = await Polling.open(bare);
      const answer = await raw(bare, `POST ?${session.query}`, 'Content-Length: 999999999\r\n', '4x');
      assert.match(answer, /^HTTP\/1\.1 413/);
    });

    test('maxPayload: a WebSocket message of a byte too much closes with 1009, one of just maxPayload is taken', async () => {
      const [socket] = await websocketSession(bare);
      const text = `4${'x'.repeat(MAX_PAYLOAD - 1)}`;
      await socket.send(OPCODE.text, text);
      assert.equal(await message(socket), text);
      await socket.send(OPCODE.text, `${text}x`);
      assert.equal(await closes(socket), 1009);
    });

    /** Sends a request byte by byte as given; what was answered until the end of the connection. */
    function raw(at, line, headers = '', body = '', { cut = false, half = false } = {}) {
      const { hostname, port, pathname } = new URL(at);
      const head = `${line.replace('?', `${pathname}?`)} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n${headers}\r\n${body}`;
      return new Promise((done) => {
        const socket = net.connect(Number(port), hostname);
        let answer = '';
        socket.on('data', (chunk) => (answer += chunk));
        socket.on('error', () => {});
        socket.once('close', () => done(answer));
        socket.write(head, () => {
          if (cut) setImmediate(() => socket.destroy());
          // Only our side ends: the server could still send.
          if (half) socket.end();
        });
      });
    }

    test('HTTP long-polling: a GET or a POST that the client cuts, or a half-open connection, ends the session', async () => {
      const { session: cut } = await joined();
      await raw(base, `GET ?${cut.query}`, '', '', { cut: true });
      const { session: broken } = await joined();
      await raw(base, `POST ?${broken.query}`, 'Content-Length: 50\r\n', '42["message"', { cut: true });
      const { session: half } = await joined();
      await raw(base, `GET ?${half.query}`, '', '', { half: true });
      for (const session of [cut, broken, half]) {
        let answer;
        // The server hears of the cut when its socket does; until then a request overlaps, which ends it as well.
        do answer = await session.get();
        while (answer.status === 200);
        assert.ok([1, 3].includes(answer.json.code), answer.text);
        await isOver(session);
      }
    });

    test('HTTP long-polling: a second POST while one is open ends the session', async () => {
      const { session } = await joined();
      const first = raw(base, `POST ?${session.query}`, 'Content-Length: 50\r\n', '42["message"');
      let second;
      // Until the server has the first one's head.
      do second = await session.post('3');
      while (second.status === 200);
      assert.ok([1, 3].includes(second.json.code), second.text);
      await isOver(session);
      await first;
    });

    test('Packet encoding: a malformed packet ends the session, with 400 and a CLOSE for the open GET', async () => {
      for (const malformed of ['4x', '42{}', '42["a"]x', '48', '9', '', 'b!']) {
        const { session } = await joined();
        const waiting = session.get();
        const posted = await session.post('42["message",1]', malformed, '42["message",2]');
        assert.deepEqual([posted.status, posted.json.code], [400, 3], malformed);
        assert.equal((await waiting).text, '42["message-back",1]\x1e1', malformed);
        await isOver(session);
      }
    });

    test('Close: a close packet ends the session, with ok and a NOOP for the open GET', async () => {
      const { session } = await joined();
      const waiting = session.get();
      assert.equal((await session.post('42["message",1]', '1', '42["message",2]')).text, 'ok');
      assert.match((await waiting).text, /^(42\["message-back",1\]|6)$/);
      await isOver(session);
    });

    test('Close: a close frame ends the session, and is answered', async () => {
      const [socket, { sid }] = await websocketSession(base);
      await socket.send(OPCODE.close, Buffer.from([0x03, 0xe9]));
      assert.equal(await closes(socket), 1001);
      const answer = await engine(base, `EIO=4&transport=polling&sid=${sid}`);
      assert.equal(answer.json.code, 1);
    });

    test('Upgrade: POSTs are taken until the upgrade packet, then what waited is flushed in order', async () => {
      const { session } = await joined();
      const socket = await session.websocket();
      for (let n = 0; n < 3; n += 1) {
        assert.equal((await session.post(`42["message",${n}]`)).text, 'ok');
      }
      await socket.send(OPCODE.text, '5');
      await socket.send(OPCODE.text, '42["message",3]');
      for (let n = 0; n < 4; n += 1) assert.equal(await message(socket), `42["message-back",${n}]`);
      socket.destroy();
    });

    test('Upgrade: a client that polls on after its probe gets by its GETs what waits, not NOOPs alone', async () => {
      const { session } = await joined();
      const socket = await session.websocket();
      for (let n = 0; n < 3; n += 1) {
        await session.post(`42["message",${n}]`);
        let text;
        do ({ text } = await session.get());
        while (text === '6');
        assert.equal(text, `42["message-back",${n}]`);
      }
      await socket.send(OPCODE.text, '5');
      await socket.send(OPCODE.text, '42["message",3]');
      assert.equal(await message(socket), '42["message-back",3]');
      socket.destroy();
    });

    for (const [name, packets] of [['a wrong probe', ['2prob']], ['a probe that is missing', ['5']], ['no packet at all', []], ['a probe alone', ['2probe']]]) {
      test(`Upgrade: ${name} and a dropped WebSocket leave polling as it was, and another upgrade may follow`, async () => {
        const { session } = await joined();
        const socket = await openSocket(base, session.handshake.sid);
        for (const packet of packets) await socket.send(OPCODE.text, packet);
        if (packets[0] === '2probe') assert.equal(await socket.text(), '3probe');
        else if (packets.length) await closes(socket);
        socket.destroy();
        // A GET that the probe frees is answered by NOOP.
        await session.post('427["message-with-ack","alive"]');
        let text;
        do ({ text } = await session.get());
        while (text === '6');
        assert.equal(text, '437["alive"]');
        const second = await session.websocket({ upgrade: true }).catch(() => session.websocket({ upgrade: true }));
        await second.send(OPCODE.text, '42["message"]');
        assert.equal(await message(second), '42["message-back"]');
        second.destroy();
      });
    }

    test('Upgrade: a second WebSocket beside one that is upgrading is closed, and the first goes on', async () => {
      const { session } = await joined();
      const first = await session.websocket();
      const path = `${new URL(base).pathname}?EIO=4&transport=websocket&sid=${session.handshake.sid}`;
      await closes(await RawWebSocket.open(new URL(base).origin, { path }));
      await first.send(OPCODE.text, '5');
      await first.send(OPCODE.text, '42["message"]');
      assert.equal(await message(first), '42["message-back"]');
      first.destroy();
    });

    test('Heartbeat: the first ping comes after an interval whatever is sent, and goes on across the upgrade', async () => {
      const opened = performance.now();
      const session = await Polling.open(quick);
      await session.post('40');
      const socket = await session.websocket({ upgrade: true });
      const heard = [];
      while (heard.filter((text) => text === '2').length < 2) {
        const text = await socket.text();
        heard.push(text);
        if (text !== '2') continue;
        assert.ok(performance.now() - opened > 650, 'a ping came before its interval');
        await socket.send(OPCODE.text, '3');
        await socket.send(OPCODE.text, '42["message"]');
      }
      socket.destroy();
    });

    test('Heartbeat: events do not stand for the pong: a client that only talks is closed', async () => {
      const began = performance.now();
      const [socket] = await websocketSession(quick);
      await socket.send(OPCODE.text, '40');
      const talking = setInterval(() => socket.send(OPCODE.text, '42["message"]'), 50);
      await socket.closed();
      clearInterval(talking);
      const took = performance.now() - began;
      assert.ok(took > 1_200, `closed after ${took} ms`);
    });
  });
}

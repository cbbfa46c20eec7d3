// What the Socket.IO protocol's own suite leaves open: packets in every shape that is legal, and those that are not. Against
// the echo server on both drivers; names cite the protocol document's sections.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CALM, closes, message, startEcho, websocketSession } from '../support/echo.mjs';
import { OPCODE } from '../support/websocket.mjs';

const place = (num) => `{"_placeholder":true,"num":${num}}`;
const [A, B] = [Buffer.from([1]), Buffer.from([2, 3])];
const DEEP = (levels) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
const fence = ['42["message","fence"]', '42["message-back","fence"]'];

for (const driver of ['owned', 'mounted']) {
  describe(`Socket.IO packets, ${driver}`, () => {
    let server, base;
    before(async () => {
      server = await startEcho({ driver, env: CALM });
      base = `${server.url}/socket.io/`;
    });
    after(() => server.stop());

    async function opened() {
      const [socket] = await websocketSession(base);
      return { socket, say: (part) => socket.send(typeof part === 'string' ? OPCODE.text : OPCODE.binary, part), next: () => message(socket) };
    }

    async function joined() {
      const peer = await opened();
      await peer.say('40');
      assert.match(await peer.next(), /^40\{"sid"/);
      assert.match(await peer.next(), /^42\["auth"/);
      return peer;
    }

    /** Says these and hears exactly those, the fence behind them. */
    async function hears(peer, said, heard) {
      for (const part of [...said, fence[0]]) await peer.say(part);
      for (const part of [...heard, fence[1]]) assert.deepEqual(await peer.next(), part);
      peer.socket.destroy();
    }

    const LEGAL = [
      ['white space wherever JSON has it', ['42 [ "message" ,\t1 ,\n{ "a" :\r2 } ] '], ['42["message-back",1,{ "a" :\r2 }]']],
      ['a numeric name', ['427[5,1]', '42[-1.5e3]'], []],
      ['an unknown name, without and with an acknowledgement', ['42["unknown",1]', '429["unknown",1]'], []],
      ['names that only look reserved', ['42["Connect"]', '42["connect "]', '42["__proto__"]', '42["constructor"]', '42[""]'], []],
      ['an escaped name', ['42["mess\\u0061ge",1]'], ['42["message-back",1]']],
      ['no arguments', ['42["message"]'], ['42["message-back"]']],
      ['16 arguments', [`42["message"${',1'.repeat(16)}]`], [`42["message-back"${',1'.repeat(16)}]`]],
      ['nesting of 128', [`42["message",${DEEP(127)}]`], [`42["message-back",${DEEP(127)}]`]],
      ['lone surrogates, NUL, repeated keys and __proto__ as they are', ['42["message","\\ud800","\\u0000",{"a":1,"a":2},{"__proto__":{"x":1}}]'], ['42["message-back","\\ud800","\\u0000",{"a":1,"a":2},{"__proto__":{"x":1}}]']],
      ['numbers of any size digit for digit', ['42["message",9007199254740993,-0,1e400,0.1234567890123456789]'], ['42["message-back",9007199254740993,-0,1e400,0.1234567890123456789]']],
      ['a key of 10 KB', [`42["message",{"${'k'.repeat(10_240)}":1}]`], [`42["message-back",{"${'k'.repeat(10_240)}":1}]`]],
      ...['0', '1', '007', '9007199254740991', '9007199254740992', '9007199254740993', '18446744073709551615'].map((id) => [
        `the acknowledgement id ${id}`, [`42${id}["message-with-ack",1]`], [`43${Number(id) < 10 ? Number(id) : id}[1]`],
      ]),
      ['acknowledgements for nothing', ['431[]', '439007199254740993["x"]', '43[]', `461-99[${place(0)}]`, A], []],
      ['attachments that are nested', [`451-["message",{"a":[${place(0)}]}]`, A], [`451-["message-back",{"a":[${place(0)}]}]`, A]],
      ['attachments that are repeated and reordered', [`452-["message",${place(1)},${place(0)},${place(1)}]`, A, B], [`452-["message-back",${place(1)},${place(0)},${place(1)}]`, A, B]],
      ['attachments that no placeholder names', ['452-["message",1]', A, B], ['452-["message-back",1]', A, B]],
      ['an object that only looks like a placeholder', ['451-["message",{"_placeholder":false,"num":7},{"num":1}]', A], ['451-["message-back",{"_placeholder":false,"num":7},{"num":1}]', A]],
      ['placeholders where nothing is attached', [`42["message",${place(5)}]`], [`42["message-back",${place(5)}]`]],
      ['an empty attachment', [`451-["message",${place(0)}]`, Buffer.alloc(0)], [`451-["message-back",${place(0)}]`, Buffer.alloc(0)]],
      ['ten attachments', [`4510-["message",${place(9)}]`, ...Array(10).fill(A)], [`4510-["message-back",${place(9)}]`, ...Array(10).fill(A)]],
      ['a pong between header and attachment', [`451-["message",${place(0)}]`, '3', A], [`451-["message-back",${place(0)}]`, A]],
      ['a binary event that wants a binary acknowledgement', [`451-12["message-with-ack",${place(0)}]`, A], [`461-12[${place(0)}]`, A]],
    ];
    for (const [name, said, heard] of LEGAL) {
      test(`Packet encoding: ${name}`, async () => hears(await joined(), said, heard));
    }

    const MALFORMED = [
      '', '9', '4', '47', '4x', '42', '421', '42{}', '42[]', '42[null]', '42[true]', '42[{}]', '42[["message"]]', '42"message"',
      '42["message"', '42["message"]x', '42["message"][]', '42["message",]', "42['message']", '42["message",01]', '42["message",NaN]',
      '42["message","\t"]', '42["message","\\x"]', '42abc["message"]', '42-1["message"]', '421.5["message"]',
      ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'].map((name) => `42["${name}"]`),
      '42["\\u0063onnect"]', '43', '431', '431{}', '41{}', '40[]', '40"a"', '40null', '40{"a":1}x', '40', '44{"message":"x"}',
      '42/custom,["message"]', '43/custom,1[]', '41/custom,',
      '4218446744073709551616["message"]', `42${'9'.repeat(1_000)}["message"]`,
      `42["message",${DEEP(128)}]`, `42["message",${DEEP(5_000)}]`, `42["message",${'{"a":'.repeat(5_000)}`, `42["message"${',1'.repeat(17)}]`,
      '45["message"]', '45-["message"]', '45x-["message"]', '450-["message"]', '4511-["message"]', '45999999999999999999-["message"]',
      ...['1', '-1', '0.5', '"0"', 'null', '1e9', '18446744073709551616'].map((num) => `451-["message",${place(num)}]`),
      `451-["message",{"_placeholder":true}]`, `451-["message",{"deep":[${place(1)}]}]`,
    ];
    for (const packet of MALFORMED) {
      test(`Packet encoding: ${JSON.stringify(packet.slice(0, 60))} closes the connection, what came before it counts`, async () => {
        const { socket, say, next } = await joined();
        await say('42["message",1]');
        await say(packet);
        assert.equal(await next(), '42["message-back",1]');
        assert.equal(await closes(socket), 1002);
      });
    }

    for (const [name, parts] of [
      ['an event', ['42["message"]']], ['a disconnect', ['41']], ['another header', ['451-["message"]']], ['a connect', ['40/custom']],
    ]) {
      test(`Packet encoding: ${name} between a header and its attachments closes the connection`, async () => {
        const { socket, say } = await joined();
        await say(`452-["message",${place(0)}]`);
        await say(A);
        for (const part of parts) await say(part);
        await closes(socket);
      });
    }

    test('Packet encoding: an attachment without a header closes the connection', async () => {
      const { socket, say } = await joined();
      await say(A);
      await closes(socket);
    });

    test('Packet encoding: attachments over maxPayload together close with 1009', async () => {
      const { socket, say } = await joined();
      await say('453-["message"]');
      for (let n = 0; n < 3; n += 1) await say(Buffer.alloc(400_000));
      assert.equal(await closes(socket), 1009);
    });

    for (const packet of ['42["message"]', '43[]', '431[]', '41', '44{}', '451-["message"]', '42/custom,["message"]']) {
      test(`Connection to a namespace: ${packet} before any CONNECT closes the connection`, async () => {
        const { socket, say } = await opened();
        await say(packet);
        await closes(socket);
      });
    }

    test('Connection to a namespace: after a refusal one may ask again, and for another', async () => {
      const { socket, say, next } = await opened();
      for (let n = 0; n < 2; n += 1) {
        await say('40/nowhere,{"token":1}');
        assert.equal(await next(), '44/nowhere,{"message":"Invalid namespace"}');
      }
      await say('40/custom,');
      assert.match(await next(), /^40\/custom,\{"sid"/);
      socket.destroy();
    });

    test('Connection to a namespace: an event that follows CONNECT in the same breath is not lost', async () => {
      for (let round = 0; round < 20; round += 1) {
        const { socket, say, next } = await opened();
        await Promise.all([say('40'), say('427["message-with-ack",1]'), say('42["message",2]')]);
        assert.match(await next(), /^40\{"sid"/);
        const heard = [await next(), await next(), await next()];
        assert.deepEqual(heard, ['42["auth",{}]', '437[1]', '42["message-back",2]']);
        socket.destroy();
      }
    });

    test('Disconnection from a namespace: no event comes from it any more, and the transport is of use', async () => {
      const { socket, say, next } = await joined();
      await say('40/custom,');
      assert.match(await next(), /^40\/custom,/);
      await next();
      await say('41');
      await say('42/custom,["message",1]');
      assert.equal(await next(), '42/custom,["message-back",1]');
      await say('42["message"]');
      await closes(socket);
    });

    test('Sending and receiving data: nothing comes between a header and its attachments', async () => {
      const { socket, say, next } = await joined();
      const rounds = Array.from({ length: 50 }, (_, n) => n);
      await Promise.all(rounds.flatMap((n) => [`42["message",${n}]`, `452-["message",${place(0)},${place(1)}]`, A, B, `42${n}["message-with-ack"]`].map(say)));
      for (const n of rounds) {
        for (const part of [`42["message-back",${n}]`, `452-["message-back",${place(0)},${place(1)}]`, A, B, `43${n}[]`]) {
          assert.deepEqual(await next(), part);
        }
      }
      socket.destroy();
    });

    test('Sending and receiving data: events of one socket are handled in their order', async () => {
      const { socket, say, next } = await joined();
      const numbers = Array.from({ length: 300 }, (_, n) => n);
      await Promise.all(numbers.map((n) => say(`42${n}["message-with-ack",${n}]`)));
      for (const n of numbers) assert.equal(await next(), `43${n}[${n}]`);
      socket.destroy();
    });
  });
}

// Every case of the Socket.IO protocol's own test suite, against the echo server on both drivers, and acknowledgements
// that the server asks for. Those of the Engine.IO layer below are in engine.test.mjs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CALM, Polling, closes, message, startEcho, websocketSession } from '../support/echo.mjs';
import { OPCODE } from '../support/websocket.mjs';

const TWO = '[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]';
const BYTES = [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])];

for (const driver of ['owned', 'mounted']) {
  describe(`Socket.IO, ${driver}`, () => {
    let server, base, quick;
    before(async () => {
      [server, quick] = await Promise.all([startEcho({ driver, env: CALM }), startEcho({ driver })]);
      base = `${server.url}/socket.io/`;
    });
    after(() => Promise.all([server.stop(), quick.stop()]));

    async function opened(at = base) {
      const [socket] = await websocketSession(at);
      return { socket, say: (packet) => socket.send(OPCODE.text, packet), next: () => message(socket) };
    }

    async function joined() {
      const peer = await opened();
      await peer.say('40');
      await peer.next();
      await peer.next();
      return peer;
    }

    for (const [name, packet, answer, greeting] of [
      ['the main namespace', '40', '40', '42["auth",{}]'],
      ['the main namespace with a payload', '40{"token":"123"}', '40', '42["auth",{"token":"123"}]'],
      ['another namespace', '40/custom,', '40/custom,', '42/custom,["auth",{}]'],
      ['another namespace with a payload', '40/custom,{"token":"abc"}', '40/custom,', '42/custom,["auth",{"token":"abc"}]'],
    ]) {
      test(`Connection to a namespace: ${name}`, async () => {
        const { socket, say, next } = await opened();
        await say(packet);
        const connected = await next();
        assert.ok(connected.startsWith(answer), connected);
        const { sid, ...rest } = JSON.parse(connected.slice(answer.length));
        assert.deepEqual([typeof sid, rest], ['string', {}]);
        assert.equal(await next(), greeting);
        socket.destroy();
      });
    }

    test('Connection to a namespace: one that is not there is refused', async () => {
      const { socket, say, next } = await opened();
      await say('40/random');
      assert.equal(await next(), '44/random,{"message":"Invalid namespace"}');
      socket.destroy();
    });

    test('Connection to a namespace: rubbish instead of CONNECT, or nothing at all, closes the connection', async () => {
      const [rubbish, silent] = [await opened(), await opened(`${quick.url}/socket.io/`)];
      await rubbish.say('4abc');
      await Promise.all([closes(rubbish.socket), closes(silent.socket)]);
    });

    test('Disconnection from a namespace: the connection stays', async () => {
      const { socket, say, next } = await joined();
      await say('41');
      await say('40');
      assert.match(await next(), /^40\{"sid":/);
      socket.destroy();
    });

    test('Disconnection from a namespace: the others stay', async () => {
      const { socket, say, next } = await joined();
      await say('40/custom');
      assert.match(await next(), /^40\/custom,/);
      assert.match(await next(), /^42\/custom,\["auth"/);
      await say('41/custom');
      await say('42["message","message to main namespace"]');
      assert.equal(await next(), '42["message-back","message to main namespace"]');
      socket.destroy();
    });

    for (const [name, sent, back] of [
      ['an event', '42["message",1,"2",{"3":[true]}]', '42["message-back",1,"2",{"3":[true]}]'],
      ['an acknowledgement', '42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'],
      ['a binary event', `452-["message",${TWO.slice(1)}`, `452-["message-back",${TWO.slice(1)}`, BYTES],
      ['a binary acknowledgement', `452-789["message-with-ack",${TWO.slice(1)}`, `462-789${TWO}`, BYTES],
    ].map(([name, sent, back, bytes = []]) => [name, [sent, ...bytes], [back, ...bytes]])) {
      test(`Sending and receiving data: ${name}, over WebSocket`, async () => {
        const { socket, say, next } = await joined();
        for (const part of sent) await (typeof part === 'string' ? say(part) : socket.send(OPCODE.binary, part));
        for (const part of back) assert.deepEqual(await next(), part);
        socket.destroy();
      });

      test(`Sending and receiving data: ${name}, over long-polling`, async () => {
        const session = await Polling.open(base);
        const encoded = (parts) => parts.map((part) => (typeof part === 'string' ? part : `b${part.toString('base64')}`));
        await session.post('40');
        await session.post(...encoded(sent));
        const packets = [];
        while (packets.length < 2 + back.length) {
          packets.push(...(await session.get()).text.split('\x1e').filter((packet) => packet !== '2'));
        }
        assert.deepEqual(packets.slice(2), encoded(back));
      });
    }

    test('Sending and receiving data: an event that asks for an acknowledgement, and what it brings', async () => {
      const { socket, say, next } = await joined();
      await say('42["emit-with-ack",1]');
      const asked = /^42(\d+)\["emit-with-ack",1\]$/.exec(await next());
      await say(`439${asked[1]}["for nothing"]`);
      await say(`43${asked[1]}["a",{"b":1}]`);
      assert.equal(await next(), '42["emit-with-ack","a",{"b":1}]');
      await say(`43${asked[1]}["again"]`);
      await say('42["message"]');
      assert.equal(await next(), '42["message-back"]');
      socket.destroy();
    });

    for (const [name, packet] of [
      ['an unknown type', '4abc'],
      ['a payload that is no array', '42{}'],
      ['an acknowledgement id that is no number', '42abc["message-with-ack",1,"2",{"3":[false]}]'],
    ]) {
      test(`Packet encoding: ${name} closes the connection`, async () => {
        const { socket, say } = await joined();
        await say(packet);
        await closes(socket);
      });
    }
  });
}

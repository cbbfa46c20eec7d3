// WebSocket frames that break RFC 6455: the close code says which rule, and memory stays bounded.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  OPCODE,
  PacketSocket,
  REMOTE,
  RawWebSocket,
  closeAll,
  fence,
  residentBytes,
  startServer,
  twoPeople,
} from './server.mjs';

let server, ann, bob, bystander, partner;
before(async () => {
  server = await startServer({ env: { MAX_SOCKETS_PER_USER: '1000' } });
  ({ ann, bob, devices: [[bystander], [partner]] } = await twoPeople(server.url, ['websocket'], ['websocket']));
});
after(async () => {
  closeAll();
  await server.stop();
});

const open = async () => (await PacketSocket.open(server.url, { token: ann.token })).raw;
const undisturbed = () => fence(bystander, partner, bob.user.id);
const EVENT = '427["typing",{}]';
const { continuation, text, binary, close, ping, pong } = OPCODE;

const VIOLATIONS = [
  ['an unmasked frame', 1002, (raw) => raw.send(text, EVENT, { mask: false })],
  ['a reserved data opcode', 1002, (raw) => raw.send(3, 'x')],
  ['a reserved control opcode', 1002, (raw) => raw.send(11, 'x')],
  ['a reserved bit', 1002, (raw) => raw.send(text, EVENT, { rsv: 4 })],
  ['a fragmented ping', 1002, (raw) => raw.send(ping, 'x', { fin: false })],
  ['a ping of 126 bytes', 1002, (raw) => raw.send(ping, 'x'.repeat(126))],
  ['a continuation of nothing', 1002, (raw) => raw.send(continuation, 'x')],
  ['a text inside a fragmented text', 1002, async (raw) => {
    await raw.send(text, '42', { fin: false });
    await raw.send(text, EVENT);
  }],
  ['a text that is no UTF-8', 1007, (raw) => raw.send(text, Buffer.from([0x34, 0x32, 0xff, 0xfe]))],
  ['an overlong encoding', 1007, (raw) => raw.send(text, Buffer.from([0x34, 0xc0, 0xaf]))],
  ['an encoded surrogate', 1007, (raw) => raw.send(text, Buffer.from([0x34, 0xed, 0xa0, 0x80]))],
  ['a text that ends inside a character', 1007, (raw) => raw.send(text, Buffer.from([0x34, 0xe2, 0x82]))],
  ['fragments that are no UTF-8 together', 1007, async (raw) => {
    await raw.send(text, Buffer.from([0x34, 0xe2]), { fin: false });
    await raw.send(continuation, Buffer.from([0x28, 0xa1]));
  }],
  ['a close payload of one byte', 1002, (raw) => raw.send(close, 'x')],
  ['a close code that may not be sent', 1002, (raw) => raw.send(close, Buffer.from([0x03, 0xed]))],
  ['a close reason that is no UTF-8', 1007, (raw) => raw.send(close, Buffer.from([0x03, 0xe8, 0xff]))],
  ['a text of 1,000,001 bytes', 1009, (raw) => raw.send(text, 'x'.repeat(1_000_001))],
  ['a frame that declares 8 GiB', 1009, (raw) => raw.send(text, '42', { declared: 2 ** 33 })],
  ['fragments of 1,200,000 bytes together', 1009, async (raw) => {
    await raw.send(text, 'x'.repeat(600_000), { fin: false });
    await raw.send(continuation, 'x'.repeat(600_000));
  }],
];
for (const [name, code, write] of VIOLATIONS) {
  test(`${name} closes with ${code}`, async () => {
    const raw = await open();
    await write(raw);
    assert.equal(await raw.closed(), code);
    await undisturbed();
  });
}

test('a length with its highest bit set closes', async () => {
  const raw = await open();
  await raw.write(Buffer.from([0x81, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]));
  assert.ok([1002, 1009].includes(await raw.closed()));
});

describe('what must work', () => {
  test('a close is answered with its code', async () => {
    const raw = await open();
    await raw.send(close, Buffer.from([0x03, 0xe8]));
    assert.equal(await raw.closed(), 1000);
  });

  test('a ping is answered with its bytes', async () => {
    const raw = await open();
    await raw.send(ping, 'are you there');
    let frame;
    do frame = await raw.frame();
    while (frame.opcode !== pong);
    assert.equal(frame.payload.toString(), 'are you there');
    assert.equal(frame.masked, false);
    raw.destroy();
  });

  test('an unasked pong is ignored', async () => {
    const raw = await open();
    await raw.send(pong, 'unasked');
    await raw.send(text, EVENT);
    await answered(raw);
  });

  test('fragments with a ping between them are one message, split characters included', async () => {
    const raw = await open();
    const bytes = Buffer.from(`427["private_message",{"receiverId":"${bob.user.id}","message":"€ 😀"}]`);
    await raw.send(text, bytes.subarray(0, 3), { fin: false });
    await raw.send(ping, 'between');
    for (let at = 3; at < bytes.length; at += 1) {
      await raw.send(continuation, bytes.subarray(at, at + 1), { fin: at === bytes.length - 1 });
    }
    assert.match(await answered(raw), /€ 😀/);
  });

  test('a frame may come byte by byte, and many frames at once', async () => {
    const raw = await open();
    const key = [1, 2, 3, 4];
    const frame = Buffer.from([0x81, 0x80 | EVENT.length, ...key, ...[...EVENT].map((c, i) => c.charCodeAt(0) ^ key[i % 4])]);
    for (const byte of frame) await raw.write(Buffer.from([byte]));
    await answered(raw, false);
    await raw.write(Buffer.concat(Array(50).fill(frame)));
    for (let n = 0; n < 50; n += 1) await answered(raw, false);
    raw.destroy();
  });

  async function answered(raw, end = true) {
    let answer;
    do answer = await raw.text();
    while (!answer.startsWith('437['));
    if (end) raw.destroy();
    return answer;
  }
});

describe('the handshake', () => {
  const refusedWith = (headers, status) =>
    assert.rejects(RawWebSocket.open(server.url, { headers }), (error) => {
      assert.match(error.answer ?? '', status);
      return true;
    });

  test('another version and a missing key are refused', async () => {
    await refusedWith({ 'Sec-WebSocket-Version': '12' }, /^HTTP\/1\.1 4(00|26)/);
    await refusedWith({ 'Sec-WebSocket-Key': '' }, /^HTTP\/1\.1 400/);
  });

  test('an offer of compression is not taken up', async () => {
    const headers = { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' };
    const raw = await RawWebSocket.open(server.url, { headers });
    assert.match(await raw.text(), /^0\{/);
    raw.destroy();
  });
});

describe('memory', { skip: Boolean(REMOTE) }, () => {
  const grown = async (attack) => {
    await attack();
    const before = residentBytes(server.pid);
    await attack();
    await undisturbed();
    return residentBytes(server.pid) - before;
  };

  test('frames that declare 8 GiB and stream on cost nothing, before and after the login', async () => {
    const chunk = Buffer.alloc(1_000_000);
    const attack = () =>
      Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          const raw = index % 2 ? await open() : await RawWebSocket.open(server.url);
          await raw.send(binary, '', { declared: 2 ** 33 });
          for (let n = 0; n < 10 && !raw.ended; n += 1) await raw.write(chunk);
          await raw.closed();
        }),
      );
    const bytes = await grown(attack);
    assert.ok(bytes < 10e6, `grew by ${bytes} bytes`);
  });

  test('100,000 fragments of one byte cost no more than their bytes', async () => {
    const fragment = Buffer.from([0x00, 0x81, 0, 0, 0, 0, 0x78]);
    const attack = async () => {
      const sockets = await Promise.all(Array.from({ length: 5 }, open));
      for (const raw of sockets) {
        await raw.send(text, '4', { fin: false });
        for (let n = 0; n < 10 && !raw.ended; n += 1) await raw.write(Buffer.concat(Array(10_000).fill(fragment)));
      }
      await undisturbed();
      const bytes = residentBytes(server.pid);
      for (const raw of sockets) raw.destroy();
      return bytes;
    };
    const idle = residentBytes(server.pid);
    const held = (await attack()) - idle;
    assert.ok(held < 5 * 1.5e6 + 4e6, `held ${held} bytes`);
    const bytes = await grown(attack);
    assert.ok(bytes < 10e6, `grew by ${bytes} bytes`);
  });
});

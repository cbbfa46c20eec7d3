// Socket.IO packets that are wrong: each closes, or is refused on, its own connection and disturbs nobody.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  PacketSocket,
  PollingSession,
  REMOTE,
  assertError,
  assertMessage,
  closeAll,
  connect,
  fence,
  nextEvent,
  pending,
  residentBytes,
  startServer,
  twoPeople,
} from './server.mjs';

let server, ann, bob, bystander, partner;
before(async () => {
  server = await startServer({ env: { MAX_SOCKETS_PER_USER: '1000' } });
  ({ ann, bob, devices: [[bystander], [partner]] } = await twoPeople(server.url, ['websocket'], ['polling']));
});
after(async () => {
  closeAll();
  await server.stop();
});

const open = () => PacketSocket.open(server.url, { token: ann.token });
const undisturbed = () => fence(bystander, partner, bob.user.id);
const message = (text) => `{"receiverId":"${bob.user.id}","message":${text}}`;

const MALFORMED = {
  'no Engine.IO type': '',
  'an unknown Engine.IO type': '9',
  'no Socket.IO type': '4',
  'an unknown Socket.IO type': '4x',
  'a Socket.IO type out of range': '47',
  'an event without arguments': '42',
  'an event that is an object': '42{"a":1}',
  'an event that is empty': '42[]',
  'an event whose name is null': '42[null]',
  'an event whose name is an object': '42[{"$ne":null}]',
  'half an event': '42["typing",{"receiverId"',
  'an event with more behind it': '42["typing",{}]x',
  'an acknowledgement that is an object': '431{}',
  'an event for a namespace that was never joined': '42/elsewhere,["typing",{}]',
  'no number of attachments': '45-["x",{"_placeholder":true,"num":0}]',
  'an endless number of attachments': `45${'9'.repeat(1000)}-["x"]`,
  'too many attachments': '4511-["x"]',
  'a connect whose auth is an array': '40[]',
  'a connect whose auth is a string': '40"token"',
  'half a connect': '40{"token":',
};
for (const [name, packet] of Object.entries(MALFORMED)) {
  test(`${name} closes that connection only`, async () => {
    const socket = await open();
    await socket.send(packet);
    await socket.closed();
    await undisturbed();
  });
}

test('an event before the connect closes that connection', async () => {
  const socket = await PacketSocket.open(server.url);
  await socket.send('42["typing",{}]');
  await socket.closed();
});

test('a text where an attachment is due, and an attachment where none is, close that connection', async () => {
  const first = await open();
  await first.send('451-["x",{"_placeholder":true,"num":0}]');
  await first.send('42["typing",{}]');
  await first.closed();
  const second = await open();
  await second.attach(Buffer.from([1, 2, 3]));
  await second.closed();
  await undisturbed();
});

test('a placeholder that points nowhere closes that connection', async () => {
  for (const num of ['1', '-1', '"0"', '1e9', 'null']) {
    const socket = await open();
    await socket.send(`451-["x",{"_placeholder":true,"num":${num}}]`);
    await socket.attach(Buffer.from([1]));
    await socket.closed();
  }
});

describe('namespaces', () => {
  test('an unknown one is refused, the connection stays', async () => {
    const socket = await open();
    await socket.send('40/admin,{}');
    const refusal = await socket.packet(/^44/);
    assert.match(refusal, /^44\/admin,/);
    assert.equal(JSON.parse(refusal.slice('44/admin,'.length)).message, 'Invalid namespace');
    assertError((await socket.call(1, 'typing', {})).error, 'invalid_input');
    socket.destroy();
  });

  test('one may leave and join again on the same connection', async () => {
    const socket = await open();
    await socket.send('41');
    await socket.send(`40${JSON.stringify({ token: ann.token })}`);
    await socket.packet(/^40\{"sid":/);
    assertError((await socket.call(1, 'typing', {})).error, 'invalid_input');
    socket.destroy();
  });
});

/** Sends a request that may be refused either way: with a code on the open connection, or by closing it. */
async function refused(socket, packet, id) {
  await socket.send(packet);
  const answer = await socket.packet(new RegExp(`^43${id}\\[`)).catch(() => null);
  if (answer !== null) {
    const [ack] = JSON.parse(answer.slice(2 + String(id).length));
    assert.equal(ack.ok, false);
    assertError(ack.error, 'invalid_input');
    socket.destroy();
  }
}

const NASTY = {
  '5,000 nested arrays': () => `["private_message",${'['.repeat(5000)}${']'.repeat(5000)}]`,
  '5,000 nested objects': () => `["private_message",${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}]`,
  '5,000 arrays as the message': () => `["private_message",${message('['.repeat(5000) + ']'.repeat(5000))}]`,
  '5,000 open arrays': () => `["private_message",${'['.repeat(5000)}`,
  '17 arguments': () => `["private_message",${Array(17).fill('{}').join(',')}]`,
  'a number of a million digits': () => `["private_message",${message('9'.repeat(900_000))}]`,
};
for (const [name, packet] of Object.entries(NASTY)) {
  test(`${name}: answered clearly, nobody else disturbed`, async () => {
    await refused(await open(), `427${packet()}`, 7);
    await undisturbed();
  });
}

/** What legal but odd JSON brings: no field, the field that the error names, or `true` where all is well. */
const ODD = {
  'a repeated field': [`{"receiverId":"$BOB","receiverId":"$BOB","message":"x"}`, 'receiverId'],
  'a repeated field that nobody reads': [`{"receiverId":"$BOB","message":"x","a":1,"a":2}`, true],
  '__proto__ as a field': [`{"__proto__":{"receiverId":"$BOB"},"message":"x"}`, 'receiverId'],
  '__proto__ and constructor beside the fields': [`{"__proto__":{"message":"y"},"constructor":1,"receiverId":"$BOB","message":"x"}`, true],
  '__proto__ as an id': [`{"receiverId":"__proto__","message":"x"}`, 'receiverId'],
  'a key of 10 KB': [`{"${'k'.repeat(10_240)}":1,"receiverId":"$BOB","message":"x"}`, true],
  'a value of 10 KB where an id is due': [`{"receiverId":"${'f'.repeat(10_240)}","message":"x"}`, 'receiverId'],
  'a number where an id is due': [`{"receiverId":9007199254740993,"message":"x"}`, 'receiverId'],
  'a number where a text is due': [`{"receiverId":"$BOB","message":1e999}`, 'message'],
  'numbers past all bounds that nobody reads': [`{"receiverId":"$BOB","message":"x","a":9007199254740993,"b":1e308}`, true],
  'a clientId that is a number': [`{"receiverId":"$BOB","message":"x","clientId":9007199254740993}`, 'clientId'],
  'NUL in a key that nobody reads': [`{"receiverId":"$BOB","message":"x","a\\u0000":1}`, true],
};
for (const [name, [payload, outcome]] of Object.entries(ODD)) {
  test(`${name}: ${outcome === true ? 'taken' : `an error that names ${outcome}`}, the connection stays`, async () => {
    const socket = await open();
    const ack = await socket.call(1, 'private_message', payload.replaceAll('$BOB', bob.user.id));
    assert.equal(ack.ok, outcome === true, JSON.stringify(ack));
    if (outcome !== true) {
      assertError(ack.error, 'invalid_input');
      assert.match(ack.error.details, new RegExp(outcome));
    }
    assertError((await socket.call(2, 'typing', {})).error, 'invalid_input');
    socket.destroy();
    await undisturbed();
  });
}

test('numbers at and past 2^53 in a page are exact, or an error that names the field', async () => {
  const socket = await open();
  let id = 0;
  const page = (fields) => socket.call(++id, 'get_chat_history', `{"otherUserId":"${bob.user.id}",${fields}}`);
  for (const skip of ['9007199254740991', '9007199254740992', '9007199254740993']) {
    assert.deepEqual((await page(`"skip":${skip}`)).messages, [], skip);
  }
  for (const [field, number] of [['skip', '18446744073709551616'], ['skip', '-1'], ['skip', '1.5'], ['limit', '9007199254740993'], ['limit', '1e999'], ['skip', '1e999']]) {
    const ack = await page(`"${field}":${number}`);
    assertError(ack.error, 'invalid_input');
  }
  socket.destroy();
});

test('a message whose text is 5,000 brackets reaches official clients whole', async () => {
  const socket = await open();
  const text = '[{"a":'.repeat(600);
  const arriving = nextEvent(partner, 'private_message', (event) => event.message === text);
  assert.equal((await socket.call(1, 'private_message', message(JSON.stringify(text)))).ok, true);
  assertMessage(await arriving, { message: text });
  socket.destroy();
});

for (const [name, behind] of [['a malformed packet', '4x'], ['a close packet', '1'], ['a packet for a namespace never joined', '42/x,["a"]']]) {
  test(`a message that stands before ${name} in the same body still counts, one behind it does not`, async () => {
    const session = await PollingSession.open(server.url, { token: ann.token });
    const send = (text) => `42["private_message",${message(JSON.stringify(text))}]`;
    const [before, after] = [`before ${name}`, `behind ${name}`];
    await session.post(send(before), behind, send(after));
    assertMessage(await nextEvent(partner, 'private_message', (event) => event.message === before), { message: before });
    await undisturbed();
    assert.deepEqual(pending(partner, 'private_message').filter((event) => event.message === after), []);
    assert.equal((await session.get()).status, 400);
  });
}

test('depth 100 in a field that nobody reads is allowed', async () => {
  const socket = await open();
  const deep = '['.repeat(100) + ']'.repeat(100);
  const ack = await socket.call(1, 'private_message', `{"receiverId":"${bob.user.id}","message":"x","more":${deep}}`);
  assert.equal(ack.ok, true, JSON.stringify(ack));
  socket.destroy();
});

test('lone surrogates and NUL are refused with an error, the connection stays', async () => {
  const socket = await open();
  let id = 0;
  for (const text of ['"\\ud800"', '"a\\udfffb"', '"\\ud83d\\ud83d"', '"\\u0000"', '"a\\u0000b"']) {
    const ack = await socket.call(++id, 'private_message', message(text));
    assert.equal(ack.ok, false, text);
    assertError(ack.error, 'invalid_input');
  }
  const ack = await socket.call(++id, 'private_message', message('"\\ud83d\\ude00 \\u00e9 \\/ \\u007f"'));
  assertMessage(ack.message, { message: '😀 é / \x7f' });
  socket.destroy();
});

test('a lone surrogate without a callback is an error event', async () => {
  const socket = await open();
  await socket.send(`42["private_message",${message('"\\udc00"')}]`);
  const packet = await socket.packet(/^42\["error"/);
  assertError(JSON.parse(packet.slice(2))[1], 'invalid_input');
  socket.destroy();
});

test('an escaped event name and escaped keys are what they say', async () => {
  const socket = await open();
  await socket.send(`425["priv\\u0061te_message",{"receiver\\u0049d":"${bob.user.id}","message":"escaped"}]`);
  const [ack] = JSON.parse((await socket.packet(/^435\[/)).slice(3));
  assertMessage(ack.message, { message: 'escaped' });
  socket.destroy();
});

test('an acknowledgement id past 2^53 is never answered rounded', async () => {
  for (const id of ['9007199254740993', '99999999999999999999', '1'.repeat(500)]) {
    const socket = await open();
    await socket.send(`42${id}["typing",{}]`);
    await socket.send('421["typing",{}]');
    const seen = await socket.packet(/^43/).catch(() => 'closed');
    assert.ok([`43${id}`, '431', 'closed'].includes(seen.split('[')[0]), seen.slice(0, 80));
    socket.destroy();
  }
});

test('the largest exact acknowledgement id is answered', async () => {
  const socket = await open();
  assertError((await socket.call('9007199254740991', 'typing', {})).error, 'invalid_input');
  socket.destroy();
});

test('an event name of 900 KB is ignored like any unknown event', async () => {
  const socket = await open();
  await socket.send(`42[${JSON.stringify('x'.repeat(900_000))},{}]`);
  assertError((await socket.call(1, 'typing', {})).error, 'invalid_input');
  socket.destroy();
});

test('a packet over maxPayload closes that connection, on both transports', async () => {
  const socket = await open();
  await socket.send(`42["x","${'x'.repeat(1_000_000)}"]`);
  assert.equal(await socket.closed(), 1009);
  const session = await PollingSession.open(server.url, { token: ann.token });
  assert.equal((await session.post(`42["x","${'x'.repeat(1_000_000)}"]`)).status, 413);
  await undisturbed();
});

test('attachments together are bounded by maxPayload as well', async () => {
  const socket = await open();
  const places = Array.from({ length: 4 }, (_, num) => ({ _placeholder: true, num }));
  await socket.send(`454-${JSON.stringify(['x', ...places])}`);
  for (let n = 0; n < 4; n += 1) await socket.attach(Buffer.alloc(400_000));
  await socket.closed();
  await undisturbed();
});

test('a flood of large packets leaves the memory where it was', { skip: Boolean(REMOTE) }, async () => {
  const flood = async () => {
    const sockets = await Promise.all(Array.from({ length: 20 }, open));
    const packets = ['['.repeat(5000), `["x","${'y'.repeat(990_000)}"]`, `["private_message",${message(`"${'z'.repeat(900_000)}"`)}]`];
    for (const socket of sockets) for (const packet of packets) await socket.send(`42${packet}`);
    for (const socket of sockets) socket.destroy();
    await undisturbed();
  };
  for (let round = 0; round < 3; round += 1) await flood();
  const before = residentBytes(server.pid);
  for (let round = 0; round < 5; round += 1) await flood();
  const grown = residentBytes(server.pid) - before;
  assert.ok(grown < 16e6, `grew by ${grown} bytes`);
});

// Hostile clients, in a thread of their own: bare sockets that hold whatever the server lets them hold.
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

const { port } = workerData;
const FRAGMENT = 4096;
/** Bytes that stay just under the largest message, so that only what all hold together can be too much. */
const NEARLY_WHOLE = 950_000;
/** How long whoever was thrown out waits before it comes again. */
const AGAIN_MS = 2_000;

const open = new Set();
let over = false;

function dial(onOpen) {
  const socket = net.connect(port, '127.0.0.1', () => onOpen(socket));
  socket.on('error', () => {});
  socket.once('close', () => open.delete(socket));
  open.add(socket);
  return socket;
}

const gone = (socket) => new Promise((done) => (socket.destroyed ? done() : socket.once('close', done)));

/** The next chunk; nothing where the connection ends. */
const chunk = (socket) =>
  new Promise((done) => {
    socket.once('data', done);
    socket.once('close', () => done());
  });

const head = (method, path, lines = []) =>
  `${[`${method} ${path} HTTP/1.1`, `Host: 127.0.0.1:${port}`, ...lines].join('\r\n')}\r\n`;

const websocketHead = (query = '') =>
  head('GET', `/socket.io/?EIO=4&transport=websocket${query}`, [
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
  ]) + '\r\n';

/** A frame's header, its mask all zeros, so that the payload goes as it is. */
function frameHead(opcode, fin, length) {
  const extended = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8);
  if (extended.length === 2) extended.writeUInt16BE(length);
  if (extended.length === 8) extended.writeBigUInt64BE(BigInt(length));
  const short = { 0: length, 2: 126, 8: 127 }[extended.length];
  return Buffer.concat([Buffer.from([(fin ? 0x80 : 0) | opcode, 0x80 | short]), extended, Buffer.alloc(4)]);
}

const frame = (text) => Buffer.concat([frameHead(1, true, Buffer.byteLength(text)), Buffer.from(text)]);

async function websocket(query) {
  const socket = dial(() => socket.write(websocketHead(query)));
  await chunk(socket);
  return socket;
}

/** An HTTP answer's body, where it comes in one piece. */
async function ask(method, path, body = '', reading = true) {
  const lines = [`Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  const socket = dial(() => socket.write(`${head(method, path, lines)}\r\n${body}`));
  const chunks = [];
  if (reading) socket.on('data', (bytes) => chunks.push(bytes));
  await gone(socket);
  return Buffer.concat(chunks).toString().split('\r\n\r\n').slice(1).join('');
}

async function polling() {
  const hello = await ask('GET', '/socket.io/?EIO=4&transport=polling');
  const sid = /"sid":"([^"]+)"/.exec(hello)?.[1];
  return sid && `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
}

async function trickle(socket, byte) {
  const timer = setInterval(() => socket.write(byte), 1_000);
  await gone(socket);
  clearInterval(timer);
}

/** One hostile client of each kind, until the server throws it out. */
const KINDS = {
  async 'huge declared frame'(n) {
    const socket = await websocket();
    socket.resume();
    // Half lie past every limit, half stay within it and never finish.
    socket.write(frameHead(2, true, n % 2 ? 8 * 2 ** 30 : 1_000_000));
    socket.write(Buffer.alloc(NEARLY_WHOLE));
    await gone(socket);
  },
  async 'tiny fragments'() {
    const socket = await websocket();
    socket.resume();
    const [first, next] = [Buffer.from([0x01, 0x81, 0, 0, 0, 0, 97]), Buffer.from([0x00, 0x81, 0, 0, 0, 0, 97])];
    socket.write(Buffer.concat([first, ...Array(15_000).fill(next)]));
    await gone(socket);
  },
  async 'never-ending fragments'() {
    const socket = await websocket();
    socket.resume();
    for (let sent = 0; sent < NEARLY_WHOLE && !socket.destroyed; sent += FRAGMENT) {
      const piece = Buffer.concat([frameHead(sent ? 0 : 2, false, FRAGMENT), Buffer.alloc(FRAGMENT)]);
      await new Promise((done) => socket.write(piece, done));
    }
    await gone(socket);
  },
  async 'slow header'(n) {
    // One of four sends nearly all that a head may hold.
    const long = 'a'.repeat(n % 4 ? 2_000 : 100_000);
    const socket = dial(() => socket.write(head('GET', '/health', [`X-Long: ${long}`])));
    await trickle(socket, 'X');
  },
  async 'slow body'() {
    const lines = ['Content-Type: application/json', 'Content-Length: 60000'];
    const socket = dial(() => socket.write(`${head('POST', '/api/auth/login', lines)}\r\n${' '.repeat(50_000)}`));
    await trickle(socket, ' ');
  },
  async 'no CONNECT'() {
    const socket = await websocket();
    socket.resume();
    await gone(socket);
  },
  async 'unread outbox'(n) {
    const { token, other } = workerData.users[n % workerData.users.length];
    const socket = await websocket();
    socket.write(frame(`40${JSON.stringify({ token })}`));
    for (let seen = ''; seen !== undefined && !seen.includes('40{"sid"'); ) seen = (await chunk(socket))?.toString('latin1');
    socket.pause();
    const event = JSON.stringify(['get_chat_history', { otherUserId: other, limit: 100 }]);
    for (let ack = 0; ack < 30 && !socket.destroyed; ack++) socket.write(frame(`42${ack}${event}`));
    // One that is not read does not tell that it was closed, either.
    await Promise.race([gone(socket), new Promise((late) => setTimeout(late, 10_000).unref())]);
    socket.destroy();
  },
  async '10,000-packet payloads'(n) {
    const { token } = workerData.users[n % workerData.users.length];
    const path = await polling();
    if (!path) return;
    await ask('POST', path, `40${JSON.stringify({ token })}`);
    await ask('POST', path, Array(10_000).fill('42["nothing",{}]').join('\x1e'));
  },
};

/** Keeps this many of each kind busy until it is over. */
async function siege({ count, kinds = Object.keys(KINDS) }) {
  const one = async (kind, n) => {
    // Not all in the same instant: the backlog would be what is measured.
    await new Promise((start) => setTimeout(start, (n / count) * 3_000));
    while (!over) {
      await KINDS[kind](n);
      await new Promise((again) => setTimeout(again, AGAIN_MS));
    }
  };
  for (const kind of kinds) for (let n = 0; n < count; n++) void one(kind, n);
}

/** Handshakes that break off: in the middle of the request, behind its end, behind the answer; over both transports. */
async function abort(n) {
  if (n % 4 === 3) return void (await polling());
  const socket = dial(() => socket.write(n % 4 ? websocketHead() : websocketHead().slice(0, 60)));
  if (n % 4 === 2) await chunk(socket);
  else await new Promise((done) => socket.once('connect', () => setImmediate(done)).once('close', done));
  socket.resetAndDestroy();
}

/** Upgrades that are never finished: broken off behind the probe, or before it. */
async function abandon(n) {
  const path = await polling();
  if (!path) return;
  const socket = await websocket(path.slice(path.indexOf('&sid=')));
  if (n % 2) {
    socket.write(frame('2probe'));
    await chunk(socket);
  }
  socket.resetAndDestroy();
}

async function times(count, doing) {
  let next = 0;
  const lane = async () => {
    while (next < count) await doing(next++);
  };
  await Promise.all(Array.from({ length: 64 }, lane));
}

parentPort.on('message', async ({ order, ...more }) => {
  if (order === 'siege') siege(more);
  if (order === 'abort') await times(more.count, abort);
  if (order === 'abandon') await times(more.count, abandon);
  if (order === 'end') {
    over = true;
    for (const socket of open) socket.destroy();
  }
  parentPort.postMessage({ done: order, open: open.size });
});

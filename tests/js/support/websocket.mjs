// A websocket client that can break every rule: frames are written as the test says.
import { randomBytes } from 'node:crypto';
import net from 'node:net';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };
const WAIT_MS = 30_000;

function frame(opcode, payload, { fin = true, rsv = 0, mask = true, declared } = {}) {
  const body = Buffer.from(payload);
  const length = declared ?? body.length;
  const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
  const bit = mask ? 0x80 : 0;
  const extended = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8);
  if (length < 126) head.push(bit | length);
  else if (length < 65_536) (head.push(bit | 126), extended.writeUInt16BE(length));
  else (head.push(bit | 127), extended.writeBigUInt64BE(BigInt(length)));
  if (!mask) return Buffer.concat([Buffer.from(head), extended, body]);
  const key = randomBytes(4);
  return Buffer.concat([Buffer.from(head), extended, key, body.map((byte, i) => byte ^ key[i % 4])]);
}

/** A websocket on a bare TCP connection. Incoming frames wait in a queue; `closed()` tells how it ended. */
export class RawWebSocket {
  #socket;
  #bytes = Buffer.alloc(0);
  #frames = [];
  #waiters = [];
  #closeCode = null;
  #ended = false;

  /** Opens `path` on the server at `base`; rejects with the HTTP answer where the upgrade is refused. */
  static open(base, { path = '/socket.io/?EIO=4&transport=websocket', headers = {} } = {}) {
    const { hostname, port } = new URL(base);
    const lines = Object.entries({
      Host: `${hostname}:${port}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      'Sec-WebSocket-Version': '13',
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    return new Promise((done, failed) => {
      const socket = net.connect(Number(port), hostname, () =>
        socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`),
      );
      let head = Buffer.alloc(0);
      const onData = (chunk) => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        const status = Number(head.toString('latin1', 9, 12));
        if (status !== 101) return;
        socket.off('data', onData);
        socket.removeAllListeners('close');
        done(new RawWebSocket(socket, head.subarray(end + 4)));
      };
      socket.setTimeout(WAIT_MS, () => socket.destroy());
      socket.on('data', onData);
      socket.once('error', () => {});
      socket.once('close', () => failed(Object.assign(new Error(head.toString()), { answer: head.toString() })));
    });
  }

  constructor(socket, rest) {
    this.#socket = socket;
    socket.setTimeout(0);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
    this.#take(rest);
  }

  #wake() {
    for (const waiter of this.#waiters.splice(0)) waiter();
  }

  #take(chunk) {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      if (this.#bytes.length < 2) break;
      let length = this.#bytes[1] & 0x7f;
      let start = 2;
      if (length === 126) (start = 4), (length = this.#bytes.length < 4 ? Infinity : this.#bytes.readUInt16BE(2));
      else if (length === 127)
        (start = 10), (length = this.#bytes.length < 10 ? Infinity : Number(this.#bytes.readBigUInt64BE(2)));
      if (this.#bytes.length < start + length) break;
      const opcode = this.#bytes[0] & 0x0f;
      const payload = Buffer.from(this.#bytes.subarray(start, start + length));
      this.#frames.push({ opcode, fin: this.#bytes[0] >= 0x80, masked: this.#bytes[1] >= 0x80, payload });
      this.#bytes = this.#bytes.subarray(start + length);
      if (opcode !== OPCODE.close) continue;
      this.#closeCode ??= payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
      this.send(OPCODE.close, payload.subarray(0, 2));
    }
    this.#wake();
  }

  async #until(ready, what) {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, WAIT_MS);
    while (!ready() && !this.#ended && !late) await new Promise((wake) => this.#waiters.push(wake));
    clearTimeout(timer);
    if (!ready()) throw new Error(late ? `no ${what} in ${WAIT_MS} ms` : `the connection ended without ${what}`);
  }

  /** Writes a frame; options break its header. Resolves when the kernel has taken it, or the connection is gone. */
  send(opcode, payload = '', options) {
    return this.write(frame(opcode, payload, options));
  }

  /** Writes bytes as they are. */
  write(bytes) {
    return new Promise((done) => (this.#socket.destroyed ? done() : this.#socket.write(bytes, () => done())));
  }

  /** The next frame of any kind. */
  async frame() {
    await this.#until(() => this.#frames.length > 0, 'frame');
    return this.#frames.shift();
  }

  /** The next text, past pings and the like. */
  async text() {
    for (;;) {
      const { opcode, payload } = await this.frame();
      if (opcode === OPCODE.text) return payload.toString();
      if (opcode === OPCODE.close) throw new Error(`closed with ${this.#closeCode}`);
    }
  }

  /** Waits until the server has closed the connection: the code of its close frame, `null` where it sent none. */
  async closed() {
    await this.#until(() => this.#ended, 'end of the connection');
    return this.#closeCode;
  }

  /** Stops reading, so that what the server sends piles up. */
  pause() {
    this.#socket.pause();
  }

  /** Whether the connection has ended. */
  get ended() {
    return this.#ended;
  }

  /** Drops the connection without a word. */
  destroy() {
    this.#socket.destroy();
  }
}

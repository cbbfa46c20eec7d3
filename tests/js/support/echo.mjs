// Starts the echo server (crates/socketio-actix/examples/echo/main.rs), and speaks Engine.IO to one at any path.
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from './http.mjs';
import { OPCODE, RawWebSocket } from './websocket.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BINARY = resolve(process.env.ECHO_BIN ?? `${HERE}../../../target/debug/examples/echo`);
const START_MS = 30_000;
const SEPARATOR = '\x1e';

const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts an echo server on a free port: `{url, stop()}`. `bare`: Engine.IO alone; `driver`: `owned` or `mounted`. */
export function startEcho({ bare = false, driver = 'owned', env = {} } = {}) {
  const child = spawn(BINARY, [], {
    env: { PATH: process.env.PATH, PORT: '0', DRIVER: driver, ENGINE_ONLY: bare ? '1' : '0', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.add(child);
  const ended = new Promise((done) => child.once('close', done)).finally(() => children.delete(child));
  const stop = () => {
    child.kill('SIGKILL');
    return ended;
  };
  return new Promise((done, failed) => {
    let output = '';
    const timer = setTimeout(() => failed(new Error(`no echo server in ${START_MS} ms: ${output}`)), START_MS);
    child.stderr.on('data', (chunk) => {
      output += chunk;
      const url = /listens on (\S+)\n/.exec(output)?.[1];
      if (!url) return;
      clearTimeout(timer);
      done({ url, stop });
    });
    child.once('error', failed);
    ended.then(() => failed(new Error(`the echo server ended: ${output}`)));
  });
}

/** Times under which no test ends by a deadline, however slow the machine is. */
export const CALM = { PING_INTERVAL_MS: '25000', PING_TIMEOUT_MS: '20000', CONNECT_TIMEOUT_MS: '20000' };

/** What one HTTP request to the engine brings. */
export const engine = (base, query, options) => request(`${base}?${query}`, options);

/** A long-polling session at `base`, which names the path as well. */
export class Polling {
  static async open(base) {
    const answer = await engine(base, 'EIO=4&transport=polling');
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return new Polling(base, JSON.parse(answer.text.slice(1)));
  }

  constructor(base, handshake) {
    this.base = base;
    this.handshake = handshake;
    this.query = `EIO=4&transport=polling&sid=${handshake.sid}`;
  }

  get(options) {
    return engine(this.base, this.query, options);
  }

  post(...packets) {
    return engine(this.base, this.query, { method: 'POST', body: packets.join(SEPARATOR) });
  }

  /** A websocket that has probed the session; with `upgrade` it has taken it over. */
  async websocket({ upgrade = false } = {}) {
    const socket = await openSocket(this.base, this.handshake.sid);
    await socket.send(OPCODE.text, '2probe');
    if ((await socket.text()) !== '3probe') throw new Error('the probe was not answered');
    if (upgrade) await socket.send(OPCODE.text, '5');
    return socket;
  }
}

/** A websocket at `base`, of a session where a `sid` is given. */
export function openSocket(base, sid) {
  const { origin, pathname } = new URL(base);
  const path = `${pathname}?EIO=4&transport=websocket${sid ? `&sid=${sid}` : ''}`;
  return RawWebSocket.open(origin, { path });
}

/** A websocket whose handshake was read: `[socket, handshake]`. */
export async function websocketSession(base) {
  const socket = await openSocket(base);
  const open = await socket.text();
  return [socket, JSON.parse(open.slice(1))];
}

/** The next message, past pings: a string, or bytes. */
export async function message(socket) {
  for (;;) {
    const { opcode, payload } = await socket.frame();
    if (opcode === OPCODE.binary) return payload;
    if (opcode !== OPCODE.text) throw new Error(`a frame of kind ${opcode}`);
    const text = payload.toString();
    if (text !== '2') return text;
  }
}

/** Waits until the server closes a websocket: its close frame's code. */
export async function closes(socket) {
  let frame;
  do frame = await socket.frame();
  while (frame.opcode !== OPCODE.close);
  socket.destroy();
  return frame.payload.length ? frame.payload.readUInt16BE(0) : 1005;
}

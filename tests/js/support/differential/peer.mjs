// A client that runs a generated session against one server and tells what it saw, the same way for every server.
import net from 'node:net';
import { OPCODE } from '../websocket.mjs';
import { Polling, closes, engine, openSocket } from '../echo.mjs';

const WAIT_MS = 20_000;

/** Packets with their attachments put in and what differs from run to run left out. */
class Reader {
  #binary;
  lastAck;

  /** What a message means; nothing while attachments are still to come. */
  take(message) {
    if (typeof message !== 'string') {
      if (!this.#binary) return 'bytes out of place';
      this.#binary.bytes.push(message.toString('hex'));
      return this.#finished();
    }
    const [, type, count, nsp = '', id = '', json] = /^4(\d)(?:(\d+)-)?(\/[^,]*,?)?(\d*)(.*)$/s.exec(message) ?? [];
    if (type === undefined) return message;
    if (type === '0') return `0${nsp}`;
    const asked = type === '2' || type === '5';
    if (asked && id) this.lastAck = id;
    this.#binary = { type, nsp, id: asked ? id && '#' : id, json, count: Number(count ?? 0), bytes: [] };
    return this.#finished();
  }

  #finished() {
    const { type, nsp, id, json, count, bytes } = this.#binary;
    if (bytes.length < count) return undefined;
    this.#binary = undefined;
    const fill = (value) => {
      if (value?._placeholder === true && count > 0) return { bytes: bytes[value.num] };
      if (Array.isArray(value)) return value.map(fill);
      if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fill(v)]));
      return value;
    };
    const kind = { 5: 2, 6: 3 }[type] ?? type;
    return `${kind}${nsp}${id}${json && JSON.stringify(fill(JSON.parse(json)))}`;
  }
}

/** One client. */
export class Peer {
  #seen = [];
  #reader = new Reader();
  #wake = () => {};
  #fences = 0;
  closed = false;
  /** Whether pings are answered. */
  answers = false;

  static async open(url, polling) {
    const peer = new Peer();
    peer.base = `${url}/socket.io/`;
    if (polling) {
      peer.session = await Polling.open(peer.base);
      peer.#poll();
    } else {
      peer.socket = await openSocket(peer.base);
      await peer.socket.text();
      peer.#listen();
    }
    return peer;
  }

  #saw(message) {
    if (message === '2' && this.answers) this.#pong();
    if (message === '2' || message === '6' || message === '1') return;
    const packet = this.#reader.take(message);
    if (packet !== undefined) this.#seen.push(packet);
    this.#wake();
  }

  #end() {
    this.closed = true;
    this.#wake();
  }

  async #poll() {
    for (;;) {
      const answer = await this.session.get().catch(() => ({ status: 0 }));
      if (this.socket) return;
      if (answer.status !== 200) return this.#end();
      for (const packet of answer.text.split('\x1e')) {
        this.#saw(packet[0] === 'b' ? Buffer.from(packet.slice(1), 'base64') : packet);
      }
    }
  }

  async #listen() {
    for (;;) {
      const frame = await this.socket.frame().catch(() => undefined);
      if (!frame && !this.socket.ended) continue;
      if (!frame || frame.opcode === OPCODE.close) return this.#end();
      if (frame.opcode === OPCODE.text) this.#saw(frame.payload.toString());
      if (frame.opcode === OPCODE.binary) this.#saw(frame.payload);
    }
  }

  async #pong() {
    await (this.socket ? this.socket.send(OPCODE.text, '3') : this.session.post('3').catch(() => {}));
  }

  async #until(ready, patience = WAIT_MS) {
    const end = Date.now() + patience;
    const timer = setTimeout(() => this.#wake(), patience + 1);
    while (!ready() && !this.closed && Date.now() < end) await new Promise((wake) => (this.#wake = wake));
    clearTimeout(timer);
    if (!ready() && !this.closed) this.#seen.push('no answer');
  }

  async #send(packets) {
    if (this.closed) return;
    if (this.socket) {
      for (const part of packets) await this.socket.send(typeof part === 'string' ? OPCODE.text : OPCODE.binary, part);
    } else {
      const body = packets.map((part) => (typeof part === 'string' ? part : `b${part.toString('base64')}`));
      const answer = await this.session.post(...body).catch(() => ({ status: 0 }));
      if (answer.status !== 200) await this.#until(() => false);
    }
  }

  /** Waits until all that was sent is answered: what a fence asks for comes behind it. */
  async #fence(joined) {
    const number = ++this.#fences;
    const [packet, answer] = joined
      ? [`42${joined === '/' ? '' : `${joined},`}9${number}["message-with-ack","fence"]`, `["fence"]`]
      : [`40/fence-${number}`, `4/fence-${number},`];
    const at = this.#seen.length;
    await this.#send([packet]);
    await this.#until(() => this.#seen.slice(at).some((seen) => joined ? seen.endsWith(answer) : seen.startsWith(answer)));
    const found = this.#seen.findIndex((seen, n) => n >= at && (joined ? seen.endsWith(answer) : seen.startsWith(answer)));
    if (found >= 0) this.#seen.splice(found, 1);
  }

  /** Does a step: what was seen of it. */
  async run(step) {
    const seen = step.act ? await this[step.act](step) : undefined;
    if (step.packets) await this.#send(step.packets.map((part) => part.replaceAll?.('$ACK', this.#reader.lastAck ?? '0') ?? part));
    for (const awaited of step.await ?? []) {
      await this.#until(() => this.#seen.some((packet) => awaited.some((beginning) => packet.startsWith(beginning))));
    }
    if (!step.open) await this.#fence(step.joined);
    const packets = this.#seen.splice(0);
    return [...(seen === undefined ? [] : [seen]), ...packets, ...(this.closed ? ['closed'] : [])];
  }

  /** Opens a websocket beside polling and sends what is given; what it heard. */
  async probe({ texts, drop }) {
    const socket = await openSocket(this.base, this.session.handshake.sid).catch(() => undefined);
    if (!socket) return 'refused';
    for (const text of texts) await socket.send(OPCODE.text, text);
    const heard = [];
    if (!drop) while (!heard.includes('closed') && heard.length < texts.length) {
      heard.push(await socket.text().catch(() => 'closed'));
    }
    socket.destroy();
    return heard.join(' ');
  }

  /** Moves the session to a websocket; texts are posted while the client has probed and not yet upgraded. */
  async upgrade({ texts = [] }) {
    const socket = await this.session.websocket().catch(() => undefined);
    if (!socket) return 'refused';
    const before = this.#seen.length;
    for (const text of texts) await this.#send([text]);
    // The answers come by GETs that find something; the client polls on until it has upgraded.
    await this.#until(() => this.#seen.length >= before + texts.length);
    this.socket = socket;
    await socket.send(OPCODE.text, '5');
    this.#listen();
    return 'upgraded';
  }

  /** A second websocket of a session that has one. */
  async second() {
    const socket = await openSocket(this.base, this.session.handshake.sid).catch(() => undefined);
    if (socket) await closes(socket).catch(() => {});
    return 'refused';
  }

  /** Sends a packet over `maxPayload`: the status of its POST. */
  async large({ text }) {
    if (!this.socket) return (await this.session.post(text).catch(() => ({ status: 0 }))).status;
    return this.#send([text]);
  }

  /** A second GET beside the one that waits. */
  async overlap() {
    const { status } = await this.session.get().catch(() => ({ status: 0 }));
    await this.#until(() => false);
    return status;
  }

  /** Requests with the session's id that do not fit it. */
  async request({ method, query }) {
    const sid = this.session?.handshake.sid ?? 'nobody';
    const answer = await engine(this.base, query.replace('$SID', sid), { method });
    return `${answer.status} ${answer.json?.code}`;
  }

  /** Waits for the server to end the session. */
  async silence({ patience }) {
    await this.#until(() => false, patience);
  }

  /** Probes, or does not, and closes the session over polling: what becomes of the websocket. */
  async leave({ texts }) {
    const socket = await openSocket(this.base, this.session.handshake.sid).catch(() => undefined);
    if (!socket) return 'refused';
    for (const text of texts) {
      await socket.send(OPCODE.text, text);
      await socket.text();
    }
    await this.session.post('1');
    await closes(socket).catch(() => {});
    await this.#until(() => false);
    return 'left';
  }

  /** Probes, or does not, and waits for the server to give the upgrade up. */
  async linger({ texts }) {
    const socket = await (texts ? openSocket(this.base, this.session.handshake.sid) : this.session.websocket()).catch(() => undefined);
    if (!socket) return 'refused';
    await closes(socket).catch(() => {});
    return 'given up';
  }

  /** Cuts the websocket, or a POST in the middle of its body. */
  async cut() {
    if (this.socket) {
      this.socket.destroy();
    } else {
      const { hostname, port, pathname } = new URL(this.base);
      const head = `POST ${pathname}?${this.session.query} HTTP/1.1\r\nHost: ${hostname}\r\nContent-Length: 9\r\n\r\n42`;
      const connection = net.connect(Number(port), hostname);
      connection.on('error', () => {});
      connection.write(head, () => connection.destroy());
    }
    await this.#until(() => false);
  }

  destroy() {
    this.closed = true;
    this.socket?.destroy();
    this.session?.post('1').catch(() => {});
  }
}

// Engine.IO and Socket.IO by hand: HTTP long-polling, and packets on a bare websocket.
import assert from 'node:assert/strict';
import { request } from './http.mjs';
import { OPCODE, RawWebSocket } from './websocket.mjs';

const SEPARATOR = '\x1e';

/** A long-polling session without any client library. */
export class PollingSession {
  /** Opens a session; with a token also the namespace `/`. */
  static async open(base, { token, headers } = {}) {
    const answer = await request(`${base}/socket.io/?EIO=4&transport=polling`, { headers });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.text[0], '0', answer.text);
    const session = new PollingSession(base, JSON.parse(answer.text.slice(1)));
    if (token !== undefined) {
      assert.equal((await session.post(`40${JSON.stringify({ token })}`)).text, 'ok');
      await session.packet(/^40\{"sid":/);
    }
    return session;
  }

  constructor(base, handshake) {
    this.handshake = handshake;
    this.url = `${base}/socket.io/?EIO=4&transport=polling&sid=${handshake.sid}`;
    this.queue = [];
  }

  /** One GET: the whole answer. */
  get(options) {
    return request(this.url, options);
  }

  /** One POST of packets. */
  post(...packets) {
    const headers = { 'content-type': 'text/plain;charset=UTF-8' };
    return request(this.url, { method: 'POST', headers, body: packets.join(SEPARATOR) });
  }

  /** The packets of one GET. */
  async packets() {
    const answer = await this.get();
    assert.equal(answer.status, 200, answer.text);
    return answer.text.split(SEPARATOR);
  }

  /** The next packet that `match` accepts; others are passed over, pings answered. */
  async packet(match) {
    for (;;) {
      while (this.queue.length > 0) {
        const packet = this.queue.shift();
        if (packet === '2') await this.post('3');
        else if (match.test(packet)) return packet;
      }
      this.queue = await this.packets();
    }
  }
}

/** Socket.IO packets on a bare websocket. */
export class PacketSocket {
  /** Opens a websocket session and reads its handshake; with a token also the namespace `/`. */
  static async open(base, { token, headers } = {}) {
    const raw = await RawWebSocket.open(base, { headers });
    const hello = await raw.text();
    assert.equal(hello[0], '0', hello);
    const socket = new PacketSocket(raw, JSON.parse(hello.slice(1)));
    if (token !== undefined) {
      await socket.send(`40${JSON.stringify({ token })}`);
      await socket.packet(/^40\{"sid":/);
    }
    return socket;
  }

  constructor(raw, handshake) {
    this.raw = raw;
    this.handshake = handshake;
  }

  /** Sends one packet as a text frame. */
  send(packet) {
    return this.raw.send(OPCODE.text, packet);
  }

  /** Sends an attachment. */
  attach(bytes) {
    return this.raw.send(OPCODE.binary, bytes);
  }

  /** The next packet that `match` accepts; others are passed over, pings answered. */
  async packet(match) {
    for (;;) {
      const packet = await this.raw.text();
      if (packet === '2') await this.send('3');
      else if (match.test(packet)) return packet;
    }
  }

  /** Sends an event that asks for an acknowledgement, and resolves with its first argument. */
  async call(id, event, payload) {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    await this.send(`42${id}[${JSON.stringify(event)},${text}]`);
    const packet = await this.packet(new RegExp(`^43${id}\\[`));
    return JSON.parse(packet.slice(2 + String(id).length))[0];
  }

  /** How the server closed the connection. */
  closed() {
    return this.raw.closed();
  }

  destroy() {
    this.raw.destroy();
  }
}

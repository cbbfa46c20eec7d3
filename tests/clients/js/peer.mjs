// One socket of the client under test, with an inbox: every event is kept from the first on, so that no check races it.
// Uses only what every version from 3.0 on has.

const WAIT_MS = 15_000;
const TRANSPORTS = { polling: ['polling'], websocket: ['websocket'], upgrade: ['polling', 'websocket'] };

/** What is stored is told with a further argument, by which a client recovers. */
const NUMBERED = ['private_message', 'message_read'];

/** The client's options for this transport. */
export const options = (transport, auth) => ({
  transports: TRANSPORTS[transport],
  auth,
  autoConnect: false,
  forceNew: true,
  reconnectionDelay: 50,
  reconnectionDelayMax: 200,
});

function within(what, start) {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`${what()} in ${WAIT_MS} ms`)), WAIT_MS);
    start((value) => {
      clearTimeout(timer);
      done(value);
    });
  });
}

export class Peer {
  #inbox = [];
  #waiting = new Set();

  /** Keeps the events of these names, and the client's own ones. */
  constructor(socket, names) {
    this.socket = socket;
    for (const name of ['connect', 'connect_error', 'disconnect', ...names]) {
      socket.on(name, (...args) => this.#arrived({ name, args: NUMBERED.includes(name) ? args.slice(0, 1) : args }));
    }
  }

  #arrived(event) {
    for (const waiter of this.#waiting) {
      if (waiter.wants(event)) {
        this.#waiting.delete(waiter);
        return waiter.done(event);
      }
    }
    this.#inbox.push(event);
  }

  /** Takes the next event of this name (that `match` accepts) and resolves with its arguments. */
  async next(name, match = () => true) {
    const wants = (event) => event.name === name && match(...event.args);
    const index = this.#inbox.findIndex(wants);
    if (index >= 0) return this.#inbox.splice(index, 1)[0].args;
    const there = () => JSON.stringify(this.#inbox).slice(0, 2000);
    const { args } = await within(
      () => `no ${name}; there were ${there()}`,
      (done) => this.#waiting.add({ wants, done }),
    );
    return args;
  }

  /** The events of this name that nobody has taken. */
  pending(name) {
    return this.#inbox.filter((event) => event.name === name);
  }

  async connect() {
    this.socket.connect();
    await this.next('connect');
    return this;
  }

  /** Waits until the connection is lost and the client has come back by itself. */
  async returned() {
    await this.next('disconnect');
    await this.next('connect');
  }

  emit(name, ...args) {
    this.socket.emit(name, ...args);
  }

  /** Emits and resolves with the acknowledgement's arguments. */
  ask(name, ...args) {
    return within(
      () => `no acknowledgement of ${name}`,
      (done) => this.socket.emit(name, ...args, (...back) => done(back)),
    );
  }

  /** Waits until this transport is the one in use. */
  async reached(transport) {
    const { engine } = this.socket.io;
    const wanted = transport === 'polling' ? 'polling' : 'websocket';
    if (engine.transport.name === wanted) return;
    if (transport !== 'upgrade') throw new Error(`connected over ${engine.transport.name}`);
    await within(
      () => 'no upgrade',
      (done) => engine.once('upgrade', done),
    );
  }
}

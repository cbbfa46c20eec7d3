// The clients of the matrix: docs/clients.md holds the same list, and the runner compares them.
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Where the Python environment and the Java classes are installed. */
const TOOLS = resolve(process.env.CLIENT_TOOLS ?? join(HERE, '../../target/clients'));

const SUITE = ['chat', 'echo'];

// What a client can't do by itself, whatever the server does, with the evidence.
const OLD_CANNOT = [
  {
    check: 'echo/namespace-close',
    why:
      'leaving one namespace closes the whole connection: `Manager#_destroy` counts only the sockets that are still ' +
      'connecting. Mended in 3.0.4 (its changelog: “keep track of active sockets”)',
  },
];
const PYTHON_CANNOT = [
  {
    check: 'echo/namespace-close',
    why:
      'namespaces are named in `connect()`, and `disconnect()` takes none: it ends the whole connection ' +
      '(`socketio/client.py`, `socketio/async_client.py`)',
  },
  {
    check: 'chat/disconnect',
    transports: ['websocket', 'upgrade'],
    why:
      '`disconnect()` queues the DISCONNECT packet for its writer and closes the WebSocket without waiting for it ' +
      '(`disconnect` in `engineio/client.py` and `engineio/async_client.py`): mostly no server sees the packet, and Node’s ' +
      'reports “transport close” as well. So the person is offline after the grace time, not at once',
  },
];
const PYTHON_SYNC_CANNOT = [
  ...PYTHON_CANNOT,
  {
    check: 'echo/order',
    why:
      'every packet is handled in a thread of its own (`_receive_packet` in `engineio/client.py`), so handlers of events that ' +
      'come in one read may run in any order, and under load an event’s attachments may be mixed up. `AsyncClient` keeps the order',
  },
];

const javascript = (version, alias, { scenarios = SUITE, cannot = [] } = {}) => ({
  name: 'socket.io-client',
  version,
  language: 'JavaScript',
  protocol: scenarios === SUITE ? 4 : 3,
  scenarios,
  cannot,
  command: [process.execPath, join(HERE, 'js/client.mjs'), alias],
});

const python = (kind, cannot) => ({
  name: `python-socketio \`${kind}\``,
  version: '5.18.1',
  language: 'Python',
  protocol: 4,
  scenarios: SUITE,
  cannot,
  command: [join(TOOLS, 'venv/bin/python'), '-B', join(HERE, 'python/client.py'), kind],
});

const java = {
  name: 'io.socket:socket.io-client',
  version: '2.1.2',
  language: 'Java',
  protocol: 4,
  scenarios: SUITE,
  cannot: [],
  command: ['java', '-XX:TieredStopAtLevel=1', '-cp', `${join(TOOLS, 'java/classes')}:${join(TOOLS, 'java/jars')}/*`, 'Client'],
};

/** Every client: what it is called, which scenarios it goes through, and the command that takes a job. */
export const CLIENTS = [
  javascript('2.5.0', 'sio-2.5', { scenarios: ['refusal'] }),
  javascript('3.0.0', 'sio-3.0', { cannot: OLD_CANNOT }),
  javascript('3.1.3', 'sio-3.1'),
  javascript('4.0.2', 'sio-4.0'),
  javascript('4.4.1', 'sio-4.4'),
  javascript('4.8.0', 'sio-4.8'),
  javascript('4.8.4', 'sio-newest'),
  python('Client', PYTHON_SYNC_CANNOT),
  python('AsyncClient', PYTHON_CANNOT),
  java,
];

/** The checks of a scenario that this client can't pass over this transport. */
export const cannot = (client, scenario, transport) =>
  client.cannot
    .filter(({ transports }) => !transports || transports.includes(transport))
    .map(({ check }) => check.split('/'))
    .filter(([of]) => of === scenario)
    .map(([, check]) => check);

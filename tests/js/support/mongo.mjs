// The MongoDB that servers under test store in: the one at TEST_MONGODB_URI, else a mongod from PATH, else FerretDB
// (../mongo-server, in MONGO_SERVER_BIN or the target folder). One server a test file; databases of their own.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { connect as dial } from 'node:net';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import mongoose from 'mongoose';
import { atExit, freePort, temporaryFolder, until } from './machine.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const GIVEN = process.env.TEST_MONGODB_URI;

// The server dies with whoever holds the pipe, however that ends: SIGKILL reaches a stopped process as well.
const KEEPER = `"$@" >&2 </dev/null & server=$!
echo $server; exec >&-
cat >/dev/null
kill -KILL $server; wait $server`;

const keepers = new Set();
atExit(() => {
  for (const keeper of keepers) process.kill(keeper.server, 'SIGKILL');
});

function program() {
  const mongod = process.env.PATH.split(delimiter).map((folder) => join(folder, 'mongod')).find(existsSync);
  if (mongod) {
    return (port, folder) => [mongod, '--bind_ip', '127.0.0.1', '--port', port, '--nounixsocket', '--dbpath', folder];
  }
  let ferretdb = process.env.MONGO_SERVER_BIN;
  if (!ferretdb) {
    ferretdb = join(HERE, '../../../target/mongo-server');
    execFileSync(join(HERE, '../../mongo-server/build'), [ferretdb], { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return (port, folder) => [ferretdb, '-detached', '-port', port, '-state', folder];
}

const accepts = (port) =>
  new Promise((done) => {
    const socket = dial(port, '127.0.0.1');
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });

async function keep(port, folder) {
  const keeper = spawn('sh', ['-c', KEEPER, 'keeper', ...program()(port, folder)], { stdio: ['pipe', 'pipe', 'pipe'] });
  keeper.stdin.on('error', () => {});
  let said = '';
  keeper.stderr.on('data', (chunk) => (said += chunk));
  const gone = new Promise((done) => keeper.once('close', done)).finally(() => keepers.delete(keeper));
  keeper.server = Number(await new Promise((done) => keeper.stdout.once('data', (line) => done(String(line).trim()))));
  keepers.add(keeper);
  // Nothing of it keeps the test file from ending.
  for (const part of [keeper, keeper.stdin, keeper.stdout, keeper.stderr]) part.unref();
  await until(`the MongoDB server listens\n${said}`, () => accepts(port));
  return {
    signal: (name) => process.kill(keeper.server, name),
    async kill() {
      for (const part of [keeper, keeper.stdin]) part.ref();
      keeper.stdin.end();
      await gone;
      await until('nobody listens any more', async () => !(await accepts(port)));
    },
  };
}

/**
 * A server of a test's own: `uri(database)`, `kill()` (SIGKILL), `start()` on the same port and files, `stop()` and
 * `resume()` (SIGSTOP, SIGCONT). It does not run before `start()`.
 */
export async function mongoServer() {
  const port = String(await freePort());
  const folder = join(temporaryFolder(), 'mongo');
  mkdirSync(folder);
  let running;
  return {
    uri: (database = newName()) => `mongodb://127.0.0.1:${port}/${database}`,
    async start() {
      running = await keep(port, folder);
      return this;
    },
    async kill() {
      await running?.kill();
      running = undefined;
    },
    stop: () => running.signal('SIGSTOP'),
    resume: () => running.signal('SIGCONT'),
  };
}

const newName = () => `e2e_${process.pid}_${randomBytes(5).toString('hex')}`;

/** `uri` with another database; a user goes on to be looked up where it was. */
function withDatabase(uri, database) {
  const [, hosts, , before, query = ''] = /^([a-z+]+:\/\/[^/?]+)(\/([^?]*))?(?:\?(.*))?$/.exec(uri);
  const options = query.split('&').filter(Boolean);
  if (hosts.includes('@') && !/authsource=/i.test(query)) options.push(`authSource=${before || 'admin'}`);
  return `${hosts}/${database}${options.length ? `?${options.join('&')}` : ''}`;
}

let shared;

/** A new, empty database on the server of this test file: its connection string. It is gone when the file ends. */
export async function newDatabase() {
  if (GIVEN) {
    const uri = withDatabase(GIVEN, newName());
    process.once('beforeExit', () => dropDatabase(uri));
    return uri;
  }
  shared ??= mongoServer().then((server) => server.start());
  return (await shared).uri();
}

/** Runs `work` with a mongoose connection of its own. */
export async function withMongoose(uri, work) {
  const connection = await mongoose.createConnection(uri, { serverSelectionTimeoutMS: 10_000, autoIndex: false }).asPromise();
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

const dropDatabase = (uri) => withMongoose(uri, (connection) => connection.dropDatabase());

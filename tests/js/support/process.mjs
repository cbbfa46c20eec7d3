// Starts, kills and restarts the real binary, each on a port and a folder of its own.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { get as getByTls } from 'node:https';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { atExit, freePort, temporaryFolder } from './machine.mjs';
import { newDatabase } from './mongo.mjs';
import { JWT_SECRET } from './tokens.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const START_MS = 60_000;
const STOP_MS = 20_000;

/** The binary under test. */
export const SERVER_BIN = resolve(process.env.CHAT_SERVER_BIN ?? join(HERE, '../../../target/debug/chat-server'));
/** The URL of a server that runs already, if the tests were pointed at one. */
export const REMOTE = process.env.CHAT_URL?.replace(/\/$/, '');
/** What the servers under test store in: `embedded` or `mongo`. */
export const STORE = process.env.STORE || 'embedded';
if (!['embedded', 'mongo'].includes(STORE)) throw new Error(`STORE is embedded or mongo, not ${STORE}`);

const skipUnless = (store, why) => {
  if (REMOTE) return 'the server runs elsewhere';
  return STORE !== store && `the store is ${STORE}: ${why}`;
};
/** What to skip a test with that is about the embedded store itself: `false` where that is the store. */
export const onlyEmbedded = (why) => skipUnless('embedded', why);
/** What to skip a test with that is about MongoDB itself: `false` where that is the store. */
export const onlyMongo = (why) => skipUnless('mongo', why);

const children = new Set();
atExit(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Kills every server of this file that still runs: for the `afterEach` of files whose tests start their own. */
export const killAll = () =>
  Promise.all(
    [...children].map((child) => new Promise((done) => (child.once('close', done), child.kill('SIGKILL')))),
  );

// A store is named by its folder, on MongoDB too: whoever is started on the same folder finds the same database.
const databases = new Map();

function databaseOf(dataDir) {
  if (!databases.has(dataDir)) databases.set(dataDir, newDatabase());
  return databases.get(dataDir);
}

async function environment(env, port, dataDir) {
  const { PATH, HOME, TMPDIR } = process.env;
  const defaults = {
    PATH,
    HOME,
    ...(TMPDIR && { TMPDIR }),
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: dataDir,
    ...(STORE === 'mongo' && !('MONGODB_URI' in env) && { MONGODB_URI: await databaseOf(dataDir) }),
    // A disk that other tests write to as well may stall for seconds; what stands in for a mongod reads by scan, too.
    SEND_TIMEOUT_MS: '25000',
    JWT_SECRET,
    BCRYPT_COST: '4',
    LOG_LEVEL: 'warn',
    RATE_LIMITS: 'off',
  };
  const merged = { ...defaults, ...env };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
}

function launch(args, { input, ...options }) {
  const child = spawn(SERVER_BIN, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], ...options });
  child.stdin?.on('error', () => {});
  child.stdin?.end(input);
  children.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const exited = new Promise((done) => {
    child.once('error', (error) => done({ code: null, signal: null, error }));
    child.once('close', (code, signal) => done({ code, signal }));
  }).finally(() => children.delete(child));
  return { child, exited, log: () => output };
}

/** Runs the binary to its end: `{code, signal, log}`. For commands, and for starts that must fail. */
export async function runCommand(args, { env = {}, cwd = temporaryFolder(), uid, input, timeout = 20_000 } = {}) {
  const dataDir = env.DATA_DIR ?? join(cwd, 'data');
  const port = env.PORT ?? (await freePort());
  const run = launch(args, { cwd, uid, input, env: await environment(env, port, dataDir) });
  const timer = setTimeout(() => run.child.kill('SIGKILL'), timeout);
  const { code, signal, error } = await run.exited;
  clearTimeout(timer);
  if (error) throw error;
  return { code, signal, log: run.log() };
}

const readyStatus = (url, ca) =>
  new Promise((done) => {
    (ca ? getByTls : get)(`${url}/ready`, { agent: false, ca }, (answer) => {
      answer.resume();
      answer.once('end', () => done(answer.statusCode));
    }).once('error', () => done(0));
  });

async function untilReady(url, ca, run, status) {
  const end = Date.now() + START_MS;
  let gone;
  run.exited.then((how) => (gone = how));
  while ((await readyStatus(url, ca)) !== status) {
    if (gone) throw new Error(`the server ended (${JSON.stringify(gone)}) before it was ready:\n${run.log()}`);
    if (Date.now() > end) throw new Error(`the server was not ready in ${START_MS} ms:\n${run.log()}`);
    await new Promise((again) => setTimeout(again, 10));
  }
}

const remote = () => ({
  url: REMOTE,
  port: Number(new URL(REMOTE).port || 80),
  log: () => '',
  stop: async () => 0,
  kill: async () => {},
  restart: async () => {},
});

/**
 * Starts a server and waits until it is ready.
 *
 * `env` is laid over the tests' defaults (`undefined` removes one), `dataDir` is a folder to keep; without it
 * the server gets one that is removed with the test file. `ca` is what its certificate is checked by, where it has one. `stop()` sends SIGTERM and resolves with the exit code,
 * `kill()` sends SIGKILL, `restart()` starts it again on the same port and folder.
 */
export async function startServer({ env = {}, args = ['serve'], dataDir, uid, cwd, ca, readyStatus: status = 200 } = {}) {
  if (REMOTE) return remote();
  const home = cwd ?? temporaryFolder();
  const data = dataDir ?? join(home, 'data');
  if (!dataDir) mkdirSync(data, { recursive: true });
  const port = env.PORT ?? (await freePort());
  const url = `${ca ? 'https' : 'http'}://127.0.0.1:${port}`;
  let run;
  let past = '';

  const server = {
    url,
    port: Number(port),
    dataDir: data,
    get pid() {
      return run.child.pid;
    },
    /** Resolves with `{code, signal}` when the process has ended. */
    exited: () => run.exited,
    log: () => past + run.log(),
    signal: (name) => run.child.kill(name),
    async start(extra = {}) {
      run = launch(args, { cwd: home, uid, env: await environment({ ...env, ...extra }, port, data) });
      try {
        await untilReady(url, ca, run, status);
      } catch (error) {
        // Whoever started it has no hold of it, and a child that lives keeps the file from ending.
        run.child.kill('SIGKILL');
        throw error;
      }
    },
    async stop() {
      let late = false;
      run.child.kill('SIGTERM');
      const timer = setTimeout(() => {
        late = true;
        run.child.kill('SIGKILL');
      }, STOP_MS);
      const { code } = await run.exited;
      clearTimeout(timer);
      if (late) throw new Error(`the server did not stop in ${STOP_MS} ms:\n${run.log()}`);
      return code;
    },
    async kill() {
      run.child.kill('SIGKILL');
      await run.exited;
    },
    async restart(extra) {
      run.child.kill('SIGKILL');
      await run.exited;
      past += run.log();
      await server.start(extra);
    },
  };
  await server.start();
  return server;
}

/** Resident memory of a process, in bytes. */
export const residentBytes = (pid) =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

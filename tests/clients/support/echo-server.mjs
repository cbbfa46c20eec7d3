// Starts the echo example on a free port.
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../js/server.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const START_MS = 20_000;

/** The echo example under test. */
const ECHO_BIN = resolve(process.env.ECHO_SERVER_BIN ?? join(HERE, '../../../target/debug/examples/echo'));

const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));

const answers = (port) =>
  new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => done(true)).once('error', () => done(false));
    socket.once('connect', () => socket.destroy());
  });

/** `{port, stop()}`; `env` is laid over PATH and PORT. */
export async function startEcho(env) {
  const port = await freePort();
  const child = spawn(ECHO_BIN, [], { env: { PATH: process.env.PATH, PORT: String(port), ...env } });
  children.add(child);
  let log = '';
  let gone;
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log = (log + chunk).slice(-8000)));
  const ended = new Promise((done) => {
    child.once('error', (error) => done(error.message));
    child.once('exit', (code, signal) => done(`exit ${code ?? signal}`));
  }).then((how) => (gone = how));
  const end = Date.now() + START_MS;
  while (!(await answers(port))) {
    if (gone) throw new Error(`${ECHO_BIN} did not start: ${gone}\n${log}`);
    if (Date.now() > end) throw new Error(`${ECHO_BIN} does not listen after ${START_MS} ms\n${log}`);
    await new Promise((again) => setTimeout(again, 10));
  }
  return {
    port,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      children.delete(child);
    },
  };
}

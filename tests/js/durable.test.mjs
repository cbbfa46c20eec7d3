// kill -9 proves no fsync. So the system calls are traced: the sync returns before the acknowledgement leaves.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import {
  TRANSPORTS,
  closeAll,
  connect,
  killAll,
  nextEvent,
  ok,
  onlyEmbedded,
  register,
  send,
  startServer,
  temporaryFolder,
} from './server.mjs';

afterEach(async () => {
  closeAll();
  await killAll();
});

const CALLS = 'fsync,fdatasync,sync_file_range,pwrite64,pwritev,pwritev2,write,writev,sendto,sendmsg,sendmmsg';
const LOG = /log\.db(-wal)?>/;

/** Attaches strace to all threads of a process: `{detach()}`, or why that can't be. */
async function trace(pid, file) {
  if (spawnSync('strace', ['-V']).error) return { missing: 'strace is not installed' };
  const strace = spawn('strace', ['-f', '-y', '-s', '16384', '-e', `trace=${CALLS}`, '-o', file, '-p', String(pid)]);
  const ended = new Promise((done) => strace.once('close', done));
  let said = '';
  const attached = await new Promise((done) => {
    strace.stderr.on('data', (chunk) => {
      said += chunk;
      if (/attached/.test(said)) done(true);
    });
    ended.then(() => done(false));
  });
  if (!attached) return { missing: `strace can't attach here: ${said.trim()}` };
  return {
    async detach() {
      strace.kill('SIGINT');
      await ended;
    },
  };
}

/** The traced calls: what was called with what, on which line it began and on which it returned. */
function readCalls(file) {
  const calls = [];
  const unfinished = new Map();
  readFileSync(file, 'latin1').split('\n').forEach((line, at) => {
    const [, thread, rest] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (!thread) return;
    const resumed = /^<\.\.\. \w+ resumed>.*= (-?\d+)/.exec(rest);
    if (resumed) {
      const call = unfinished.get(thread);
      if (call) Object.assign(call, { returned: at, result: Number(resumed[1]) });
      return unfinished.delete(thread);
    }
    const name = /^(\w+)\(/.exec(rest)?.[1];
    if (!name) return;
    const call = { name, text: rest, began: at, returned: at, result: Number(/= (-?\d+)[^=]*$/.exec(rest)?.[1]) };
    if (rest.endsWith('<unfinished ...>')) {
      call.returned = Infinity;
      unfinished.set(thread, call);
    }
    calls.push(call);
  });
  return calls;
}

const skip = onlyEmbedded('the sync is the database\'s own');

test('the sync of the log returns before the acknowledgement and the event leave', { skip }, async (t) => {
  const server = await startServer();
  const [ann, bob] = await Promise.all([register(server.url), register(server.url)]);
  const socket = await connect(server.url, ann.token, TRANSPORTS.websocket);
  const other = await connect(server.url, bob.token, TRANSPORTS.websocket);
  await send(socket, bob.user.id, 'warm');
  const file = join(temporaryFolder(), 'calls');
  const strace = await trace(server.pid, file);
  if (strace.missing) return t.skip(strace.missing);

  const texts = Array.from({ length: 20 }, (_, n) => `traced-${n}-of-this-test`);
  let last;
  for (const text of texts) last = await send(socket, bob.user.id, text);
  await nextEvent(other, 'private_message', (message) => message.id === last.id);
  await ok(other, 'message_read', { messageId: last.id });
  await nextEvent(socket, 'message_read', (event) => event.messageId === last.id);
  await strace.detach();

  const calls = readCalls(file);
  const onLog = (call) => LOG.test(call.text.slice(0, 400));
  const isSync = (call) => /^f(data)?sync$/.test(call.name) && onLog(call) && call.result === 0;
  const isWrite = (call) => /^p?writev?(64|2)?$/.test(call.name) && onLog(call);
  const leaves = (call, text) => !onLog(call) && !/\.db/.test(call.text.slice(0, 400)) && call.text.includes(text);
  const check = (text, what) => {
    const answers = calls.filter((call) => leaves(call, text));
    assert.ok(answers.length > 0, `${what} was not seen leaving`);
    const first = Math.min(...answers.map((call) => call.began));
    const synced = calls.filter((call) => isSync(call) && call.returned < first).at(-1);
    assert.ok(synced, `no sync of the log returned before ${what} left`);
    return { first, synced };
  };
  let previous = -1;
  for (const text of texts) {
    const { first, synced } = check(text, text);
    assert.ok(synced.began > previous, `${text}: the sync belongs to an earlier message`);
    const written = calls.filter((call) => isWrite(call) && call.began > previous && call.returned < synced.began);
    assert.ok(written.length > 0, `${text}: nothing was written before its sync`);
    previous = first;
  }
  const { synced } = check('message_read', 'the reading');
  assert.ok(synced.began > previous, 'the sync before the reading belongs to a message');
  closeAll();
  assert.equal(await server.stop(), 0);
});

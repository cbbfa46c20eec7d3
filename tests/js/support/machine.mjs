// What tests take from the machine: folders that go away with them, ports that nobody has.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folders = new Set();
const endings = [];
process.on('exit', () => {
  // What writes to a folder is killed before the folder goes.
  for (const end of endings) end();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

// A file that hangs fails with what it waits for, instead of holding up all others for ever.
const PATIENCE_MS = 15 * 60_000;
setTimeout(() => {
  console.error(`${process.argv[1]} is not done in ${PATIENCE_MS} ms; it waits for ${process.getActiveResourcesInfo()}`);
  process.exit(1);
}, PATIENCE_MS).unref();

/** Runs `end` when the test file is over, however it ends; it can't wait for anything. */
export const atExit = (end) => endings.push(end);

/** A folder that is gone when the test file ends. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'chat-e2e-'));
  folders.add(folder);
  return folder;
}

let nextPort = 20_000 + (process.pid % 120) * 100;

/** A free port outside the ephemeral range, so that no outgoing connection takes it before a restart. */
export async function freePort() {
  for (;;) {
    const port = nextPort++;
    const probe = createServer();
    const free = await new Promise((done) => {
      probe.once('error', () => done(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => done(true)));
    });
    if (free) return port;
  }
}

/** Waits until `holds` resolves to something true, and resolves with that; fails after `limit` ms. */
export async function until(what, holds, limit = 30_000) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await holds();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not in ${limit} ms: ${what}`);
    await new Promise((again) => setTimeout(again, 10));
  }
}

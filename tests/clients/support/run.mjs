// Runs one client program: a job goes in as JSON, one JSON line a check comes out.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CHECKS } from '../checks.mjs';
import { cannot } from '../clients.mjs';

const DEADLINE_MS = 90_000;

const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')));

/**
 * Runs the client on the job and asserts that it reported every check of the scenario, in order
 * and without a failure, but for those that the list says it can't do.
 *
 * Lines of the program: `{version}` once, `{check, ok, error?}` for each check, and `{ask}` where it needs something
 * done from outside; `answers[ask]()` does it, and the program reads an empty line when it is done.
 */
export async function runClient(client, job, answers = {}) {
  const unable = cannot(client, job.scenario, job.transport);
  const checks = Object.keys(CHECKS[job.scenario]).filter((check) => !unable.includes(check));
  const [command, ...args] = client.command;
  const child = spawn(command, [...args, JSON.stringify({ ...job, cannot: unable })], { stdio: ['pipe', 'pipe', 'pipe'] });
  children.add(child);
  const timer = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
  const ended = new Promise((done, failed) => {
    child.once('error', failed);
    child.once('close', (code, signal) => done({ code, signal }));
  });
  child.stdin.on('error', () => {});
  let noise = '';
  child.stderr.on('data', (chunk) => (noise = (noise + chunk).slice(-8000)));

  const passed = [];
  const failures = [];
  let version;
  const read = (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const said = parse(line);
      if (said.version) version = said.version;
      else if (said.ask) {
        await answers[said.ask]();
        child.stdin.write('\n');
      } else if (said.ok) passed.push(said.check);
      else failures.push(`${said.check}: ${said.error}`);
    }
  })();
  try {
    const [how] = await Promise.all([ended, read]);
    assert.deepEqual(failures, [], noise);
    assert.deepEqual(passed, checks, `the program ended early: ${JSON.stringify(how)}\n${noise}`);
    assert.deepEqual(how, { code: 0, signal: null }, noise);
    assert.equal(version, client.version, 'the version that is installed');
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    children.delete(child);
  }
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { check: 'output', ok: false, error: `not a line of JSON: ${line}` };
  }
}

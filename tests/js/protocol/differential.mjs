// The same generated sessions against the echo server and Node's socket.io 4.8: what clients can see must be the same, but
// for what docs/protocol.md lists. `node protocol/differential.mjs [seed] [count]`, or as a test by differential.test.mjs.
import { pathToFileURL } from 'node:url';
import { CALM, startEcho } from '../support/echo.mjs';
import { claimed, undocumented } from '../support/differential/differences.mjs';
import { TRANSITIONS, session, shows } from '../support/differential/generator.mjs';
import { startNode } from '../support/differential/node.mjs';
import { Peer } from '../support/differential/peer.mjs';

const AT_ONCE = 8;

/** What one server shows of a session, step by step. */
async function observe(url, { polling, steps }) {
  const peer = await Peer.open(url, polling);
  peer.answers = steps.some((step) => step.answers);
  const seen = [];
  for (const step of steps.slice(1)) {
    if (peer.closed) break;
    seen.push(await peer.run(step));
  }
  peer.destroy();
  return seen;
}

/** The first step whose outcomes differ, and the rows that claim steps up to there. */
function compare({ steps }, ours, theirs) {
  for (let at = 0; at < Math.max(ours.length, theirs.length); at += 1) {
    const [row, same] = [claimed(steps[at + 1]), JSON.stringify(ours[at]) === JSON.stringify(theirs[at])];
    // From here on the two may be in different states, even if they look alike.
    if (row) return { row, same };
    if (!same) return { at: at + 1, ours: ours[at], theirs: theirs[at] };
  }
  return {};
}

/** Runs sessions from `seed` on: `{differences, rows, transitions, undocumented}`. */
export async function differential(seed, count) {
  const [calm, quick] = await Promise.all([pair(false), pair(true)]);
  const [differences, rows, transitions] = [[], new Map(), new Map(TRANSITIONS.map((name) => [name, 0]))];
  let next = seed;
  const work = async () => {
    while (next < seed + count) {
      const made = session(next++);
      const servers = made.quick ? quick : calm;
      const [ours, theirs] = await Promise.all(servers.map(({ url }) => observe(url, made)));
      for (const [at, step] of made.steps.slice(0, ours.length + 1).entries()) {
        if (at === 0 || shows(step, ours[at - 1])) transitions.set(step.covers, transitions.get(step.covers) + 1);
      }
      const { row, at, ...seen } = compare(made, ours, theirs);
      if (row) rows.set(row, (rows.get(row) ?? 0) + (seen.same ? 0 : 1));
      if (at) differences.push({ seed: made.seed, steps: made.steps.slice(0, at + 1), ...seen });
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await Promise.all([...calm, ...quick].map((server) => server.stop()));
  }
  return { differences, rows, transitions, undocumented: undocumented() };
}

function pair(quick) {
  const [pingInterval, pingTimeout, connectTimeout] = quick ? [300, 200, 1_000] : [25_000, 20_000, 20_000];
  return Promise.all([
    startEcho({ env: quick ? {} : CALM }),
    startNode({ pingInterval, pingTimeout, connectTimeout }),
  ]);
}

/** The report, as lines. */
export function report({ differences, rows, transitions }) {
  const reached = [...transitions].filter(([, times]) => times > 0);
  const lines = [`transitions reached: ${reached.length} of ${transitions.size}`];
  for (const [name, times] of transitions) lines.push(`  ${String(times).padStart(6)}  ${name}`);
  lines.push('sessions that differ as docs/protocol.md says:');
  for (const [row, times] of rows) lines.push(`  ${String(times).padStart(6)}  ${row}`);
  lines.push(`sessions that differ otherwise: ${differences.length}`);
  for (const difference of differences.slice(0, 20)) lines.push(JSON.stringify(difference, undefined, 1));
  return lines;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [seed = 1, count = 5_000] = process.argv.slice(2).map(Number);
  const outcome = await differential(seed, count);
  for (const line of report(outcome)) console.log(line);
  for (const row of outcome.undocumented) console.log(`not in docs/protocol.md: ${row}`);
  process.exit(outcome.differences.length + outcome.undocumented.length ? 1 : 0);
}

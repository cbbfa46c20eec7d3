// What a server's memory and its honest clients go through while others attack it.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { connect, fence, send, registerMany, residentBytes, signToken, startServer, closeAll } from '../server.mjs';

/** Resident memory in MB. */
const megabytes = (pid) => residentBytes(pid) / 1e6;
/** Enough devices of one user to stay well under what one may have. */
const DEVICES = 20;

/** Users who can attack: a token, and somebody with whom they have a conversation of more than a page. */
async function armed(server, count) {
  const users = await registerMany(server.url, count + 1);
  const [author, ...attackers] = users;
  const message = '漢'.repeat(4_000);
  for (const attacker of attackers) {
    // A socket each: how many events one may send is limited here as ever.
    const socket = await connect(server.url, author.token, { transports: ['websocket'] });
    await Promise.all(Array.from({ length: 24 }, () => send(socket, attacker.user.id, message)));
    socket.disconnect();
  }
  return attackers.map(({ user }) => ({ token: signToken({ sub: user.id }), other: author.user.id }));
}

/** Two pairs, over a websocket and over polling, who write to each other all the time: how long each message took. */
async function honestPairs(server) {
  const [ann, bob] = await registerMany(server.url, 2);
  const pairs = [];
  for (const transport of ['websocket', 'polling']) {
    const options = { transports: [transport], reconnection: true, reconnectionDelay: 100 };
    pairs.push([await connect(server.url, ann.token, options), await connect(server.url, bob.token, options)]);
  }
  const trips = [];
  let lost = 0;
  let over = false;
  const writing = pairs.map(async ([from, to]) => {
    while (!over) {
      const begun = performance.now();
      await fence(from, to, bob.user.id).catch(() => lost++);
      trips.push(performance.now() - begun);
      from.inbox.length = to.inbox.length = 0;
      await pause(100);
    }
  });
  return {
    trips: () => trips.splice(0),
    lost: () => lost,
    async end() {
      over = true;
      await Promise.all(writing);
    },
  };
}

/**
 * Rates as in production, but for those of one address and of one author: attackers have many, and here they all share one.
 */
const RATES = {
  RATE_LIMITS: 'on',
  RATE_REGISTER: '1000000/s',
  RATE_HANDSHAKES: '1000000/s',
  RATE_MESSAGES: '1000000/s',
  MAX_SOCKETS_PER_ADDRESS: '1000000',
};

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * q)] ?? NaN;

/** The least memory within this time, and when it was first under `bound`. */
async function settle(server, bound, ms) {
  const begun = performance.now();
  let least = Infinity;
  while (performance.now() - begun < ms) {
    least = Math.min(least, megabytes(server.pid));
    if (least <= bound) break;
    await pause(250);
  }
  return { least, seconds: (performance.now() - begun) / 1e3 };
}

/**
 * Attacks a fresh server in every way at once, then by handshakes and upgrades that break off. Gives back what it saw, in
 * MB, ms and s. `connections` is how many there are of each kind at any time; `slack` is how much more memory than before is
 * enough at the end, by default 5 %.
 */
export async function underAttack({ connections, seconds, aborted, abandoned, kinds, slack, env = {} }) {
  const server = await startServer({ env: { ...RATES, ...env } });
  const users = await armed(server, Math.ceil(connections / DEVICES) + 1);
  const attacker = new Worker(new URL('./attacker.mjs', import.meta.url), { workerData: { port: server.port, users } });
  const order = async (what) => {
    attacker.postMessage(what);
    await once(attacker, 'message');
  };
  const pairs = await honestPairs(server);
  await pause(3_000);
  const calm = pairs.trips();
  const baseline = megabytes(server.pid);

  await order({ order: 'siege', count: connections, kinds });
  let peak = 0;
  for (let end = Date.now() + seconds * 1e3; Date.now() < end; await pause(100)) {
    peak = Math.max(peak, megabytes(server.pid));
  }
  const attacked = pairs.trips();
  await order({ order: 'end' });
  const back = await settle(server, baseline + (slack ?? baseline * 0.05), 60_000);
  await attacker.terminate();

  const broken = await brokenOff(server, aborted, abandoned);
  await pairs.end();
  closeAll();
  const log = server.log();
  await server.stop();
  return {
    connections: connections * (kinds?.length ?? 8),
    baseline,
    peak,
    above: peak - baseline,
    back,
    calm: { median: quantile(calm, 0.5), p95: quantile(calm, 0.95) },
    attacked: { count: attacked.length, median: quantile(attacked, 0.5), p95: quantile(attacked, 0.95), most: quantile(attacked, 1) },
    lost: pairs.lost(),
    broken,
    log,
  };
}

/** Memory before and after handshakes and upgrades that break off, both warm: a tenth of each comes first. */
async function brokenOff(server, aborted, abandoned) {
  const attacker = new Worker(new URL('./attacker.mjs', import.meta.url), { workerData: { port: server.port, users: [] } });
  const seen = {};
  for (const [order, count] of Object.entries({ abort: aborted, abandon: abandoned })) {
    for (const share of [count / 10, count]) {
      const before = megabytes(server.pid);
      attacker.postMessage({ order, count: Math.round(share) });
      await once(attacker, 'message');
      const { least } = await settle(server, before * 1.02, 30_000);
      seen[order] = { count, before, after: least, percent: (least / before - 1) * 100 };
    }
  }
  await attacker.terminate();
  return seen;
}

/** The report as a Markdown table. */
export function table(seen) {
  const mb = (value) => `${value.toFixed(1)} MB`;
  const ms = (value) => `${value.toFixed(0)} ms`;
  const rows = [
    ['hostile connections at a time', seen.connections],
    ['resident memory before', mb(seen.baseline)],
    ['at most, under attack', `${mb(seen.peak)} (${mb(seen.above)} above)`],
    ['after it', `${mb(seen.back.least)} within ${seen.back.seconds.toFixed(1)} s`],
    ['honest round trip before: median, 95 %', `${ms(seen.calm.median)}, ${ms(seen.calm.p95)}`],
    [
      'honest round trip under attack: median, 95 %, most',
      `${ms(seen.attacked.median)}, ${ms(seen.attacked.p95)}, ${ms(seen.attacked.most)} (${seen.attacked.count} messages)`,
    ],
    ...Object.entries(seen.broken).map(([what, { count, before, after, percent }]) => [
      `${count} handshakes ${what === 'abort' ? 'broken off' : 'with an upgrade left unfinished'}`,
      `${mb(before)} before, ${mb(after)} after (${percent > 0 ? '+' : ''}${percent.toFixed(1)} %)`,
    ]),
  ];
  return ['| | |', '|---|---|', ...rows.map(([what, value]) => `| ${what} | ${value} |`)].join('\n');
}

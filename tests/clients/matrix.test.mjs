// Every client over every transport, through the chat on the real binary and through the echo example.
//
// CHAT_SERVER_BIN and ECHO_SERVER_BIN name the binaries, CLIENT_TOOLS the folder of what `install` put there.
// CLIENTS=JavaScript,Python picks languages; UPDATE_DOCS=1 writes the tables of docs/clients.md.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { register, request, startServer } from '../js/server.mjs';
import { CHECKS, TRANSPORTS } from './checks.mjs';
import { CLIENTS } from './clients.mjs';
import { startEcho } from './support/echo-server.mjs';
import { page } from './support/page.mjs';
import { startProxy } from './support/proxy.mjs';
import { runClient } from './support/run.mjs';

const LANGUAGES = process.env.CLIENTS?.split(',');
// Quotes, controls, astral, combining and right-to-left characters, and the two line ends that JavaScript's strings once forbade.
const TEXT = 'Grüße "\\" \u0001\t 👋🏽 e\u0301 שלום \u2028\u2029 \ud83c\uddea\ud83c\uddfa end';
const PLAIN_ARGS = [1, -2.5, TEXT, true, false, null, '', [], {}, [1, [2, { a: 'b' }]], { nested: { deep: ['x', {}] } }];
const PING_INTERVAL_MS = 300;
const PING_TIMEOUT_MS = 1500;
const ECHO_SETTINGS = {
  PING_INTERVAL_MS: String(PING_INTERVAL_MS),
  PING_TIMEOUT_MS: String(PING_TIMEOUT_MS),
  CONNECT_TIMEOUT_MS: '10000',
};

/** A server of its own for each run: it is killed on the way. */
async function chat(client, transport) {
  // The long grace time tells a clean disconnect from a lost link.
  const server = await startServer({ env: { PRESENCE_GRACE_MS: '60000' } });
  try {
    const people = await Promise.all([register(server.url), register(server.url)]);
    const job = {
      scenario: 'chat',
      transport,
      url: server.url,
      text: TEXT,
      people: people.map(({ token, user: { id, username } }) => ({ token, id, username })),
    };
    await runClient(client, job, { restart: () => server.restart() });
  } finally {
    await server.kill();
  }
}

/** A client that says it uses a transport is believed only when its requests say the same. */
function assertTransports(requests, transport) {
  const used = new Set(requests.map(({ query }) => query.get('transport')));
  assert.deepEqual([...used].sort(), transport === 'upgrade' ? ['polling', 'websocket'] : [transport]);
  assert.deepEqual([...new Set(requests.map(({ query }) => query.get('EIO')))], ['4']);
  const upgrades = requests.filter(({ query }) => query.get('transport') === 'websocket' && query.has('sid'));
  assert.equal(upgrades.length > 0, transport === 'upgrade', 'websockets that take a session over');
}

async function echo(client, transport) {
  const server = await startEcho(ECHO_SETTINGS);
  const proxy = await startProxy(server.port);
  try {
    const job = {
      scenario: 'echo',
      transport,
      url: proxy.url,
      plainArgs: PLAIN_ARGS,
      heartbeatMs: PING_TIMEOUT_MS + 2 * PING_INTERVAL_MS,
    };
    await runClient(client, job, { cut: proxy.cut, mend: proxy.mend });
    assertTransports(proxy.requests, transport);
  } finally {
    await proxy.close();
    await server.stop();
  }
}

async function refusal(client, transport) {
  const server = await startServer();
  const proxy = await startProxy(server.port);
  try {
    await runClient(client, { scenario: 'refusal', transport, url: proxy.url });
    assert.ok(proxy.requests.length > 0);
    for (const { query } of proxy.requests) assert.equal(query.get('EIO'), '3');
    for (const answer of proxy.answers().filter(Boolean)) {
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.match(answer, /\r\n\r\n\{"code":5,"message":"Unsupported protocol version"\}$/);
    }
    assert.equal((await request(`${server.url}/ready`)).status, 200);
  } finally {
    await proxy.close();
    await server.kill();
  }
}

const SCENARIOS = { chat, echo, refusal };

test('the page on clients says what is tested here', () => {
  const { found, wanted, write } = page();
  if (process.env.UPDATE_DOCS) write();
  else assert.equal(found, wanted, 'docs/clients.md is behind: UPDATE_DOCS=1 make clients');
});

describe('clients', { concurrency: Number(process.env.JOBS ?? 2) }, () => {
  for (const client of CLIENTS.filter(({ language }) => !LANGUAGES || LANGUAGES.includes(language))) {
    for (const [transport, words] of Object.entries(TRANSPORTS)) {
      test(`${client.name} ${client.version} over ${words}`, { timeout: 200_000 }, async () => {
        for (const scenario of client.scenarios) await SCENARIOS[scenario](client, transport);
      });
    }
  }
});

// The tables of docs/clients.md, made from the lists that the tests run through.
import { readFileSync, writeFileSync } from 'node:fs';
import { CHECKS, TRANSPORTS } from '../checks.mjs';
import { CLIENTS, cannot } from '../clients.mjs';

const PAGE = new URL('../../../docs/clients.md', import.meta.url);

const row = (cells) => `| ${cells.join(' | ')} |\n`;
const table = (head, rows) => row(head) + `|${'---|'.repeat(head.length)}\n` + rows.map(row).join('');

/** The reasons why checks are left out, each once: their places in this list are the notes' numbers. */
const REASONS = [...new Set(CLIENTS.flatMap((client) => client.cannot))];

function seen(client, transport) {
  if (client.scenarios.includes('refusal')) return 'refused, code 5';
  const passed = client.scenarios.map((name) => {
    const all = Object.keys(CHECKS[name]).length;
    return `${name} ${all - cannot(client, name, transport).length}/${all}`;
  });
  const notes = client.cannot.filter(({ transports }) => !transports || transports.includes(transport));
  const marks = notes.map((note) => ` [${REASONS.indexOf(note) + 1}](#what-clients-cant-do)`);
  return passed.join(', ') + marks.join('');
}

const matrix = () =>
  table(
    ['client', 'version', 'Engine.IO', ...Object.values(TRANSPORTS)],
    CLIENTS.map((client) => [
      `${client.name} (${client.language})`,
      client.version,
      client.protocol,
      ...Object.keys(TRANSPORTS).map((transport) => seen(client, transport)),
    ]),
  );

const reasons = () => REASONS.map(({ check, why }, n) => `${n + 1}. \`${check}\`: ${why}.\n`).join('');

const checks = (scenario) => table(['check', 'what it shows'], Object.entries(CHECKS[scenario]).map(([name, words]) => [`\`${name}\``, words]));

const PARTS = { matrix: matrix(), cannot: reasons(), chat: checks('chat'), echo: checks('echo'), refusal: checks('refusal') };

const between = (name) => new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);

/** The page as it is, and as the lists say that it should be. */
export function page() {
  const found = readFileSync(PAGE, 'utf8');
  const wanted = Object.entries(PARTS).reduce((text, [name, part]) => {
    if (!between(name).test(text)) throw new Error(`docs/clients.md has no part ${name}`);
    return text.replace(between(name), (_, open, close) => open + part + close);
  }, found);
  return { found, wanted, write: () => writeFileSync(PAGE, wanted) };
}

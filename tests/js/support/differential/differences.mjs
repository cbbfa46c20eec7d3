// Where the echo server and Node's may answer differently: each entry is a row of «Differences from Node's server» in
// docs/protocol.md, by its first column. A session is compared up to the first step that an entry claims.
import { readFileSync } from 'node:fs';

const PROTOCOL = new URL('../../../../docs/protocol.md', import.meta.url);
/** Everything before the JSON of a Socket.IO packet in its Engine.IO message, and the JSON. */
const HEADER = /^4([0-6])(?:([^-[{"/]*)-)?(\/[^,]*,?)?(\d*)(.*)$/s;

function header(text) {
  const [, type, count, , id, json] = HEADER.exec(text) ?? [];
  return type === undefined ? undefined : { type, count, id, json };
}

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const depth = (value) =>
  value && typeof value === 'object' ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0;
const carries = (text, types) => types.includes(header(text)?.type);

function placeholders(value, found = []) {
  if (value?._placeholder === true) found.push(value.num);
  else if (value && typeof value === 'object') for (const inner of Object.values(value)) placeholders(inner, found);
  return found;
}

const rows = [
  ['`42["a"]` with white space before `[`', (text) => carries(text, '2356') && /^\s/.test(header(text).json)],
  ['`42` or `431` without JSON', (text) => carries(text, '2356') && header(text).json === ''],
  ['placeholder out of range', (text, of) => of.some((num) => Number.isInteger(num) && (num < 0 || num >= header(text).count))],
  ['`num` of 0.5', (text, of) => of.some((num) => !Number.isInteger(num))],
  ['nesting past 128, more than 16 arguments', (text) => {
    const value = parsed(header(text)?.json);
    return depth(value) > 128 || (Array.isArray(value) && value.length > 16);
  }],
  ['acknowledgement ids past 2⁵³', (text) => carries(text, '2356') && Number(header(text).id) > Number.MAX_SAFE_INTEGER],
  ['CONNECT again before the first is answered', (_text, _of, step) => step.kind === 'connect twice'],
  ['`5` without a probe', (_text, _of, step) => step.kind === 'upgrade without a probe'],
  ['`1` over a WebSocket', (_text, _of, step) => step.kind === 'close' && !step.polling],
  ['POST over `maxPayload`', (_text, _of, step) => step.kind === 'too large' && step.polling],
  ['attachments over `maxPayload` together', (_text, _of, step) => step.kind === 'attachments too large'],
  ['attachments that do not come', (_text, _of, step) => step.kind === 'attachments late'],
];

/** The row that claims a step's difference, if one does. */
export function claimed(step) {
  const texts = (step.packets ?? []).filter((packet) => typeof packet === 'string');
  for (const [row, claims] of rows) {
    for (const text of texts.length ? texts : ['']) {
      const binary = carries(text, '56');
      const nums = binary ? placeholders(parsed(header(text).json)) : [];
      if (claims(text, nums, step)) return row;
    }
  }
  return undefined;
}

/** The rows that docs/protocol.md lacks. */
export function undocumented() {
  const documented = readFileSync(PROTOCOL, 'utf8').split('\n').map((line) => line.split(' | ')[0].replace(/^\| /, ''));
  return rows.map(([row]) => row).filter((row) => !documented.includes(row));
}

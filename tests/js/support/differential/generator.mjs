// Generates sessions from a seed: valid and broken packets in any state that a session can be in.

/**
 * Every transition of a session's state machine (docs/protocol.md, «Life of a session») that a client can bring about: from → to:
 * by what. A step names the one that it is made for, and `shows` tells whether what was seen of it is that one.
 */
export const TRANSITIONS = [
  'nothing → polling', 'nothing → websocket', 'polling → probing → polling: wrong packet',
  'polling → probing → polling: link lost', 'polling → probing → polling: upgrade timeout',
  'polling → probing → pausing → polling: wrong packet', 'polling → probing → pausing → polling: link lost',
  'polling → probing → pausing → polling: upgrade timeout', 'polling → probing → pausing → websocket',
  'polling → probing → pausing → pausing → websocket: post and get', 'polling → probing → closed: close packet',
  'polling → probing → pausing → closed: close packet',
  'websocket → websocket: second link', 'polling → polling: unfit request', 'not joined → joined',
  'not joined → refused', 'not joined → closed: unexpected', 'not joined → closed: connect timeout',
  'joined → not joined', 'joined → joined: event', 'joined → joined: event with acknowledgement',
  'joined → joined: acknowledgement', 'joined → joined: acknowledgement for nothing', 'joined → joined: attachments',
  'joined → closed: connect', 'joined → closed: connect error', 'attachments → attachments', 'attachments → closed: text',
  'attachments → closed: timeout', 'attachments → closed: too large', 'open → closed: too large', 'joined → closed: attachment out of place', 'open → open: noop or pong',
  'open → closed: close packet', 'open → closed: ping', 'open → closed: malformed', 'open → ?: mutated',
  'open → closed: ping timeout', 'websocket → closed: link lost', 'polling → closed: request cut', 'polling → closed: overlap',
];

/** Whether what was seen of a step (`Peer.run`) is the transition that it is made for. */
export function shows(step, seen) {
  const to = /([^ ]+?)(: .*)?$/.exec(step.covers.split(' → ').at(-1))[1];
  if (seen.includes('no answer') || (step.act !== 'second' && seen[0] === 'refused')) return false;
  return to === '?' || (to === 'closed') === (seen.at(-1) === 'closed');
}

/** Mulberry32: the same numbers for the same seed everywhere. */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (count) => Math.floor(next() * count);
  return { below, chance: (p) => next() < p, pick: (list) => list[below(list.length)] };
}

const SPACES = ['', ' ', '\t', '\n', '\r', '  '];
const STRINGS = ['', 'a', 'ü€😀', '\\"', '\\u0000', '\\ud800', '__proto__', '_placeholder', '\u2028', 'x'.repeat(200)];
const NUMBERS = ['0', '-0', '1', '-1.5', '1e3', '1E-7', '123456789012345678901234567890', '9007199254740993', '1e400'];
const MALFORMED = [
  '4', '4a', '47', '48["a"]', '42{}', '42[]', '42[null]', '42[true]', '42[{}]', '42["a"', '42["a",]', '42["a"]x', '42["a"]]',
  '42abc["a"]', '42-1["a"]', '421.5["a"]', '42["\\x"]', "42['a']", '42[01]', '42["a",NaN]', '42["a",.5]', '42["a",+1]', '42["\t"]',
  '42["connect"]', '42["disconnect"]', '42["connect_error"]', '42["disconnecting"]', '42["newListener"]', '42["removeListener"]',
  '431{}', '431"a"', '431[', '40[]', '40"a"', '40{', '40null', '40true', '41{}', '41[]', '45["a"]', '4511-["a"]',
  '451-', '451-{}', '461-{}', '4x1-["a"]', '45-["a"]', '45x-["a"]', '450-["a"]', '460-1["a"]', '7', 'x', 'bAQ', '42/custom["a"]', '4/',
];

/** What the two servers read differently, as docs/protocol.md says. */
const LISTED = [
  ['42 ["message-with-ack"]'], ['42'], ['4312'],
  ['451-["message",{"_placeholder":true,"num":1}]', Buffer.alloc(1)], ['451-["message",{"_placeholder":true,"num":0.5}]', Buffer.alloc(1)],
  [`42["message",${'['.repeat(127)}${']'.repeat(127)}]`], [`42["message"${',1'.repeat(17)}]`],
  ['429007199254740993["message-with-ack"]'], ['4218446744073709551616["message-with-ack"]'],
];

function json(random, depth = 0) {
  const { pick, below } = random;
  const space = () => pick(SPACES);
  const kind = below(depth > 3 ? 4 : 6);
  if (kind === 0) return pick(['null', 'true', 'false']);
  if (kind === 1) return pick(NUMBERS);
  if (kind < 4) return `"${pick(STRINGS)}"`;
  const items = Array.from({ length: below(4) }, () => json(random, depth + 1));
  if (kind === 4) return `[${space()}${items.join(`${space()},${space()}`)}${space()}]`;
  return `{${items.map((item) => `${space()}"${pick(STRINGS)}"${space()}:${space()}${item}`).join(',')}${space()}}`;
}

class Session {
  constructor(seed) {
    Object.assign(this, random(seed));
    this.random = this;
    this.polling = this.chance(0.5);
    this.upgraded = false;
    this.joined = new Set();
    this.over = false;
    this.steps = [];
  }

  add(kind, covers, fields = {}) {
    const [joined] = this.joined;
    this.steps.push({ kind, covers, polling: this.polling && !this.upgraded, joined, ...fields });
  }

  end(kind, covers, fields) {
    this.add(kind, covers, fields);
    this.over = true;
  }

  prefix() {
    const nsp = this.pick([...this.joined]);
    return nsp === '/' ? '' : `${nsp},`;
  }

  args() {
    return Array.from({ length: this.below(4) }, () => `,${json(this.random)}`).join('');
  }

  event() {
    const name = this.pick(['message', 'message-with-ack', 'unknown', 'message']);
    const id = this.chance(0.5) ? String(this.pick([0, 7, 1234, '007', Number.MAX_SAFE_INTEGER])) : '';
    return { text: `42${this.prefix()}${id}["${name}"${this.args()}]`, id };
  }

  connect() {
    const nsp = this.pick(['/', '/custom', '/', '/unknown', '/Custom', '/custom/']);
    const prefix = nsp === '/' ? '' : `${nsp},`;
    const packet = `40${prefix}${this.pick(['', '', '9'])}${this.pick(['', '{}', '{"token":"123"}', `{"a":${json(this.random)}}`])}`;
    if (this.joined.has(nsp)) return this.end('connect again', 'joined → closed: connect', { packets: [packet] });
    const there = nsp === '/' || nsp === '/custom';
    if (!there) return this.add('refused', 'not joined → refused', { packets: [packet], await: [[`4${prefix}`]] });
    if (this.chance(0.03)) return this.end('connect twice', 'joined → closed: connect', { packets: [packet, packet] });
    this.joined.add(nsp);
    const await_ = [[`0${prefix}`], [`2${prefix}["auth"`]];
    this.add('connect', 'not joined → joined', { packets: [packet], await: await_ });
  }

  disconnect() {
    const nsp = this.pick([...this.joined]);
    this.joined.delete(nsp);
    this.add('disconnect', 'joined → not joined', { packets: [nsp === '/' ? '41' : `41${nsp},`] });
  }

  speak() {
    const { text, id } = this.event();
    this.add('event', `joined → joined: event${id ? ' with acknowledgement' : ''}`, { packets: [text] });
  }

  ask() {
    const prefix = this.prefix();
    this.add('ask', 'joined → joined: event', { packets: [`42${prefix}["emit-with-ack"${this.args()}]`] });
    const answer = `43${prefix}$ACK[${this.args().slice(1)}]`;
    this.add('answer', 'joined → joined: acknowledgement', { packets: this.chance(0.3) ? [answer, answer] : [answer] });
  }

  nothing() {
    this.add('ack', 'joined → joined: acknowledgement for nothing', { packets: [`43${this.prefix()}${99_999 + this.below(9)}[1]`] });
  }

  attach() {
    const count = 1 + this.below(4);
    const place = (num) => `{"_placeholder":true,"num":${num}}`;
    const shape = this.pick(['plain', 'nested', 'reversed', 'repeated']);
    const nums = Array.from({ length: count }, (_, n) => (shape === 'reversed' ? count - 1 - n : n));
    if (shape === 'repeated') nums.push(0);
    if (this.chance(0.05)) nums.push(this.pick([count, count + 3, 0.5]));
    const list = nums.map(place);
    const args = shape === 'nested' ? `{"deep":[${list.join(',')},{"x":1}]}` : list.join(',');
    const name = this.pick(['message', 'message-with-ack']);
    const packet = `45${count}-${this.prefix()}${name === 'message' ? '' : '77'}["${name}",${args}]`;
    const bytes = nums.slice(0, count).map(() => Buffer.from(Array.from({ length: this.below(9) }, () => this.below(256))));
    while (bytes.length < count) bytes.push(Buffer.alloc(1));
    const whole = { packets: [packet, ...bytes] };
    if (this.chance(0.6)) return this.add('attachments', 'joined → joined: attachments', whole);
    this.add('header', 'attachments → attachments', { packets: [packet], open: true });
    if (this.chance(0.2)) return this.end('text between', 'attachments → closed: text', { packets: ['42["message"]'] });
    this.add('rest', 'joined → joined: attachments', { packets: bytes });
  }

  break() {
    const kinds = [
      () => this.end('malformed', 'open → closed: malformed', { packets: [this.pick(MALFORMED)] }),
      () => this.end('malformed', 'open → closed: malformed', { packets: [this.pick(MALFORMED)] }),
      () => this.end('close', 'open → closed: close packet', { packets: ['1'] }),
      () => this.end('ping', 'open → closed: ping', { packets: ['2'] }),
      () => this.end('connect error', 'joined → closed: connect error', { packets: ['44{"message":"x"}'] }),
      () => this.end('attachment', 'joined → closed: attachment out of place', { packets: [Buffer.from([1])] }),
      () => this.end('not joined', 'not joined → closed: unexpected', { packets: [this.pick(['42/none,["message"]', '41/none,', '43/none,1[]'])] }),
      () => this.mutate(), () => this.mutate(), () => this.mutate(), () => this.mutate(),
      () => this.listed(),
      () => this.cut(),
      () => this.large(),
    ];
    this.pick(kinds)();
  }

  mutate() {
    if (this.joined.size === 0) return;
    const { text } = this.event();
    const characters = '0123456789[]{}",-/: \\ab_';
    const at = 1 + this.below(Math.min(text.length - 1, 30));
    const put = this.chance(0.7) ? characters[this.below(characters.length)] : '';
    const packet = text.slice(0, at) + put + text.slice(at + this.below(2));
    this.end('mutated', 'open → ?: mutated', { packets: [packet] });
  }

  listed() {
    if (this.joined.has('/')) this.end('listed', 'joined → joined: event', { packets: this.pick(LISTED) });
  }

  cut() {
    if (this.polling && !this.upgraded) {
      if (this.chance(0.5)) this.end('overlap', 'polling → closed: overlap', { act: 'overlap' });
      else this.end('cut', 'polling → closed: request cut', { act: 'cut' });
    } else this.end('cut', 'websocket → closed: link lost', { act: 'cut' });
  }

  large() {
    if (this.chance(0.5)) return this.end('too large', 'open → closed: too large', { act: 'large', text: `42["${'x'.repeat(1_000_000)}"]` });
    if (this.joined.size === 0) return;
    const parts = Array.from({ length: 3 }, () => Buffer.alloc(400_000));
    // One a body: over polling they would be too large together.
    this.add('header', 'attachments → attachments', { packets: [`453-${this.prefix()}["unknown"]`], open: true });
    for (const part of parts.slice(1)) this.add('part', 'attachments → attachments', { packets: [part], open: true });
    this.end('attachments too large', 'attachments → closed: too large', { packets: parts.slice(0, 1) });
  }

  move() {
    if (!this.polling || this.upgraded) {
      if (this.upgraded) this.add('second link', 'websocket → websocket: second link', { act: 'second' });
      return;
    }
    this.pick([
      () => this.add('wrong probe', 'polling → probing → polling: wrong packet', { act: 'probe', texts: [this.pick(['4hello', '2', '2prob', '3', 'x'])] }),
      () => this.add('lost link', 'polling → probing → polling: link lost', { act: 'probe', texts: [], drop: true }),
      () => this.add('lost probe', 'polling → probing → pausing → polling: link lost', { act: 'probe', texts: ['2probe'] }),
      () => this.add('spoilt probe', 'polling → probing → pausing → polling: wrong packet', { act: 'probe', texts: ['2probe', this.pick(['2probe ', '4hello', '6', 'x'])] }),
      () => this.chance(0.3) && this.end('close while probing', 'polling → probing → closed: close packet', { act: 'leave', texts: [] }),
      () => this.chance(0.3) && this.end('close while pausing', 'polling → probing → pausing → closed: close packet', { act: 'leave', texts: ['2probe'] }),
      () => this.request(),
      () => this.chance(0.2) && this.end('upgrade without a probe', 'polling → probing → polling: wrong packet', { act: 'probe', texts: ['5'], drop: true }),
      () => (this.upgraded = true) && this.add('upgrade', 'polling → probing → pausing → websocket', { act: 'upgrade' }),
      () => (this.upgraded = true) && this.add('upgrade', 'polling → probing → pausing → websocket', { act: 'upgrade' }),
      () => this.busy(),
    ])();
  }

  /** An upgrade during which the client still posts, and polls for the answers. */
  busy() {
    if (this.joined.size === 0) return;
    this.upgraded = true;
    const texts = [1, 2, 3].map((n) => `42${this.prefix()}["message",${n}]`);
    this.add('busy upgrade', 'polling → probing → pausing → pausing → websocket: post and get', { act: 'upgrade', texts });
  }

  request() {
    const [method, query] = this.pick([
      ['GET', 'EIO=4&transport=websocket&sid=$SID'], ['GET', 'EIO=4&sid=$SID'], ['GET', 'EIO=4&transport=abc&sid=$SID'],
      ['GET', 'EIO=4&transport=__proto__'], ['GET', 'EIO=4&transport='], ['GET', 'EIO=3&transport=polling'], ['GET', 'EIO=5&transport=polling'],
      ['GET', 'EIO=4&transport=polling&sid=nobody'], ['GET', 'EIO=4&transport=websocket&sid=nobody'], ['POST', 'EIO=4&transport=polling'],
      ['PUT', 'EIO=4&transport=polling'], ['DELETE', 'EIO=4&transport=polling'], ['POST', 'EIO=4&transport=polling&sid=__proto__'],
      ['GET', 'transport=polling'], ['GET', ''], ['GET', 'EIO=4&transport=polling&sid=constructor'],
    ]);
    this.add('request', 'polling → polling: unfit request', { act: 'request', method, query });
  }

  step() {
    const idle = () => this.add('noop', 'open → open: noop or pong', { packets: [this.pick(['6', '3', '0', '5', '0{}', '3x'])] });
    const always = [() => this.connect(), () => this.move(), () => this.break(), idle];
    const joined = [() => this.speak(), () => this.speak(), () => this.attach(), () => this.ask(), () => this.nothing(), () => this.disconnect()];
    this.pick(this.joined.size ? [...always, ...joined, ...joined] : [...always, () => this.connect(), () => this.connect()])();
  }
}

/** A session: `{seed, polling, quick, steps}`. A quick one waits for a deadline of the server's. */
export function session(seed) {
  const made = new Session(seed);
  const opened = { kind: 'open', covers: made.polling ? 'nothing → polling' : 'nothing → websocket', polling: made.polling };
  const quick = made.chance(0.05);
  if (quick) {
    const act = (covers, fields) => made.end('deadline', covers, { open: true, ...fields });
    made.pick([
      () => act('open → closed: ping timeout', { act: 'silence', answers: false }),
      () => act('not joined → closed: connect timeout', { act: 'silence', answers: true }),
      () => {
        if (!made.polling) return act('open → closed: ping timeout', { act: 'silence', answers: false });
        made.joined.add('/');
        made.add('connect', 'not joined → joined', { packets: ['40'], await: [['0'], ['2["auth"']] });
        act('polling → probing → polling: upgrade timeout', { act: 'linger', answers: true, open: false, texts: [] });
      },
      () => {
        made.joined.add('/');
        made.add('connect', 'not joined → joined', { packets: ['40'], await: [['0'], ['2["auth"']] });
        if (made.polling) return act('polling → probing → pausing → polling: upgrade timeout', { act: 'linger', answers: true, open: false });
        made.add('header', 'attachments → attachments', { packets: ['451-["message",{"_placeholder":true,"num":0}]'], open: true });
        made.end('attachments late', 'attachments → closed: timeout', { act: 'silence', answers: true, open: true, patience: 3_000 });
      },
    ])();
  }
  const length = 1 + made.below(14);
  while (!made.over && made.steps.length < length) made.step();
  return { seed, polling: made.polling, quick, steps: [opened, ...made.steps] };
}

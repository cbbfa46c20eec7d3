// The REST table: every seed row, /ready and the list of users, with the shapes to the last key.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  OBJECT_ID,
  assertError,
  assertUser,
  closeAll,
  connect,
  login,
  register,
  registerMany,
  rest,
  startServer,
  uniqueName,
} from './server.mjs';

let server;
before(async () => (server = await startServer()));
after(async () => {
  closeAll();
  await server.stop();
});

function assertSession(session, username, email) {
  assert.deepEqual(Object.keys(session).sort(), ['expiresIn', 'token', 'user']);
  assert.equal(session.token.split('.').length, 3);
  assert.equal(session.expiresIn, 86_400);
  assertUser(session.user, { profile: true, username, email });
}

const account = (fields = {}) => {
  const username = uniqueName();
  return { username, email: `${username}@example.org`, password: 'correct horse', ...fields };
};
const signUp = (body) => rest(server.url, 'POST', '/api/auth/register', { body });

test('GET /health answers while the process lives', async () => {
  const { status, headers, json } = await rest(server.url, 'GET', '/health');
  assert.equal(status, 200);
  assert.match(headers['content-type'], /^application\/json/);
  assert.deepEqual(Object.keys(json).sort(), ['status', 'uptimeSeconds', 'version']);
  assert.equal(json.status, 'ok');
  assert.equal(typeof json.version, 'string');
  assert.ok(json.uptimeSeconds >= 0);
});

test('GET /ready names its checks', async () => {
  const { status, json } = await rest(server.url, 'GET', '/ready');
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(json).sort(), ['checks', 'status']);
  assert.deepEqual(Object.keys(json.checks).sort(), ['bus', 'store']);
});

describe('accounts', () => {
  test('register answers 201 with a session that works at once', async () => {
    const body = account();
    const { status, json } = await signUp(body);
    assert.equal(status, 201);
    assertSession(json, body.username, body.email);
    assert.equal(json.user.lastSeen, null);
    const profile = await rest(server.url, 'GET', '/api/auth/profile', { token: json.token });
    assert.equal(profile.status, 200);
    assert.deepEqual(Object.keys(profile.json), ['user']);
    assertUser(profile.json.user, { profile: true, username: body.username, email: body.email });
  });

  test('login works by email and by username, ignoring case', async () => {
    const body = account();
    await signUp(body);
    for (const by of [
      { email: body.email },
      { username: body.username },
      { email: body.email.toUpperCase() },
      { username: body.username.toUpperCase() },
    ]) {
      const { status, json } = await login(server.url, { ...by, password: body.password });
      assert.equal(status, 200);
      assertSession(json, body.username, body.email);
    }
  });

  test('a wrong password and an unknown user get one and the same answer', async () => {
    const body = account();
    await signUp(body);
    const wrong = await login(server.url, { email: body.email, password: 'wrong horse' });
    const unknown = await login(server.url, { email: `x${body.email}`, password: 'wrong horse' });
    assert.equal(wrong.status, 401);
    assertError(wrong.json, 'unauthorized');
    assert.deepEqual([unknown.status, unknown.json], [wrong.status, wrong.json]);
    const noUser = await login(server.url, { username: uniqueName(), password: 'x' });
    assert.deepEqual([noUser.status, noUser.json], [wrong.status, wrong.json]);
  });

  test('a name or an address that is taken, in any case, is a conflict', async () => {
    const body = account();
    await signUp(body);
    const other = account();
    for (const taken of [
      { ...other, username: body.username },
      { ...other, username: body.username.toUpperCase() },
      { ...other, email: body.email },
      { ...other, email: body.email.toUpperCase() },
      body,
    ]) {
      const { status, json } = await signUp(taken);
      assert.equal(status, 409, JSON.stringify(json));
      assertError(json, 'conflict');
    }
    assert.equal((await signUp(other)).status, 201, 'the refused ones left nothing behind');
  });

  test('of 50 registrations of one name at once, exactly one wins', async () => {
    const username = uniqueName();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        signUp(account({ username: n % 2 ? username : username.toUpperCase(), email: `${username}.${n}@example.org` })),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 201).length, 1, statuses.join(' '));
    for (const { status, json } of answers) if (status !== 201) assertError(json, 'conflict');
  });

  const BAD = {
    'a short name': [{ username: 'ab' }, 'username'],
    'a long name': [{ username: 'x'.repeat(33) }, 'username'],
    'a name with a space': [{ username: 'a b c' }, 'username'],
    'a name with an umlaut': [{ username: 'jürgen' }, 'username'],
    'an operator as name': [{ username: { $ne: null } }, 'username'],
    'no name': [{ username: undefined }, 'username'],
    'an address that is none': [{ email: 'nobody' }, 'email'],
    'two addresses': [{ email: 'a@b.example,c@d.example' }, 'email'],
    'a long address': [{ email: `${'x'.repeat(64)}@${'y.'.repeat(100)}example` }, 'email'],
    'no address': [{ email: undefined }, 'email'],
    'a short password': [{ password: '1234567' }, 'password'],
    'a password of 73 bytes': [{ password: 'ü'.repeat(36) + 'x' }, 'password'],
    'a number as password': [{ password: 12345678 }, 'password'],
    'no password': [{ password: undefined }, 'password'],
  };
  for (const [name, [fields, field]] of Object.entries(BAD)) {
    test(`register with ${name} is invalid_input`, async () => {
      const { status, json } = await signUp(account(fields));
      assert.equal(status, 400, JSON.stringify(json));
      assertError(json, 'invalid_input', field);
    });
  }

  test('the limits themselves are allowed', async () => {
    const name = uniqueName();
    const long = `${name}.-_`.padEnd(32, 'X');
    assert.equal((await signUp(account({ username: long, password: 'x'.repeat(72) }))).status, 201);
    assert.equal((await login(server.url, { username: long, password: 'x'.repeat(72) })).status, 200);
    assert.equal((await signUp(account({ password: '12345678' }))).status, 201);
  });

  test('login without a name, without a password or with operators is invalid_input', async () => {
    for (const body of [
      {},
      { password: 'x' },
      { email: 'a@b.example' },
      { email: { $ne: null }, password: 'x' },
      { username: 'abc', password: { $ne: null } },
      { username: ['abc'], password: 'x' },
      [],
      'x',
      null,
      7,
    ]) {
      const { status, json } = await login(server.url, body);
      assert.equal(status, 400, `${JSON.stringify(body)}: ${JSON.stringify(json)}`);
      assertError(json, 'invalid_input');
    }
  });

  test('profile, users, history and conversations want a token', async () => {
    const paths = ['/api/auth/profile', '/api/users', `/api/chat/history/${'f'.repeat(24)}`, '/api/chat/conversations'];
    for (const path of paths) {
      for (const headers of [{}, { authorization: 'Bearer' }, { authorization: 'Basic YTpi' }]) {
        const { status, json } = await rest(server.url, 'GET', path, { headers });
        assert.equal(status, 401, path);
        assertError(json, 'unauthorized');
      }
    }
  });

  test('the scheme of the header is read in any case', async () => {
    const { token } = await register(server.url);
    const answer = await rest(server.url, 'GET', '/api/auth/profile', { headers: { authorization: `bearer ${token}` } });
    assert.equal(answer.status, 200);
  });
});

describe('users', () => {
  let me, prefix;
  before(async () => {
    me = await register(server.url);
    prefix = uniqueName('List');
    await registerMany(server.url, 60, (n) => ({ username: `${prefix}.${String(n).padStart(2, '0')}` }));
  });
  const list = async (query) => {
    const answer = await rest(server.url, 'GET', `/api/users?${new URLSearchParams(query)}`, { token: me.token });
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(Object.keys(answer.json).sort(), ['next', 'users']);
    return answer.json;
  };

  test('come in pages of 50, by name, without oneself and without addresses', async () => {
    const first = await list({ q: prefix });
    assert.equal(first.users.length, 50);
    for (const user of first.users) assertUser(user, { isOnline: false, lastSeen: null });
    const second = await list({ q: prefix, after: first.next });
    assert.deepEqual([second.users.length, second.next], [10, null]);
    const names = [...first.users, ...second.users].map((user) => user.username);
    assert.deepEqual(names, Array.from({ length: 60 }, (_, n) => `${prefix}.${String(n).padStart(2, '0')}`));
    assert.deepEqual((await list({ q: me.user.username })).users, []);
  });

  test('q is a literal prefix of the name, ignoring case', async () => {
    assert.equal((await list({ q: prefix.toLowerCase(), limit: 100 })).users.length, 60);
    assert.equal((await list({ q: prefix.slice(1), limit: 100 })).users.length, 0);
    for (const q of ['%', `${prefix.slice(0, 6)}%`, '.*', '\\', "'", '"', '\0']) {
      assert.deepEqual((await list({ q })).users, [], JSON.stringify(q));
    }
  });

  test('everybody is walked exactly once, whatever the page size', async () => {
    const seen = [];
    let after;
    do {
      const page = await list({ limit: 7, ...(after && { after }) });
      seen.push(...page.users.map((user) => user.id));
      after = page.next;
    } while (after);
    assert.equal(new Set(seen).size, seen.length);
    assert.ok(seen.length >= 60);
    assert.ok(!seen.includes(me.user.id));
    for (const id of seen) assert.match(id, OBJECT_ID);
  });

  test('refuse a wrong limit and a wrong cursor', async () => {
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'limit=-1', 'after=nonsense', 'limit=1&limit=2']) {
      const { status, json } = await rest(server.url, 'GET', `/api/users?${query}`, { token: me.token });
      assert.equal(status, 400, `${query}: ${JSON.stringify(json)}`);
      assertError(json, 'invalid_input');
    }
  });

  test('isOnline is live', async () => {
    const user = await register(server.url);
    await connect(server.url, user.token);
    const { users } = await list({ q: user.user.username });
    assertUser(users[0], { id: user.user.id, isOnline: true });
  });
});

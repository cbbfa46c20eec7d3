// Who may connect: every way to bring a token, and every token that is refused.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  JWT_SECRET,
  REMOTE,
  TRANSPORTS,
  assertError,
  closeAll,
  connect,
  nextEvent,
  refusedConnect,
  register,
  rest,
  signToken,
  startServer,
  unsignedToken,
  upgraded,
} from './server.mjs';

let server, ann;
before(async () => {
  server = await startServer();
  ann = await register(server.url);
});
after(async () => {
  closeAll();
  await server.stop();
});

const seconds = () => Math.floor(Date.now() / 1000);

for (const [name, options] of Object.entries(TRANSPORTS)) {
  test(`a token in auth connects over ${name}`, async () => {
    const socket = await connect(server.url, ann.token, options);
    if (name === 'upgrade') await upgraded(socket);
    assert.equal(socket.io.engine.transport.name, name === 'polling' ? 'polling' : 'websocket');
    assert.ok(Array.isArray(await nextEvent(socket, 'online_users')));
  });

  test(`a Bearer header connects over ${name}`, async () => {
    const socket = await connect(server.url, undefined, {
      ...options,
      extraHeaders: { authorization: `Bearer ${ann.token}` },
    });
    assert.ok(socket.id);
  });

  test(`a connect without a token over ${name} gets connect_error with the code`, async () => {
    const error = await refusedConnect(server.url, undefined, options);
    assert.notEqual(error.message, '');
    assertError(error.data, 'unauthorized');
  });
}

const REFUSED = {
  'nonsense': () => 'nonsense',
  'an empty token': () => '',
  'a number': () => 42,
  'an object': () => ({ $ne: null }),
  'a token of another secret': () => signToken({ sub: ann.user.id }, { secret: 'another-secret-of-thirty-two-bytes!!' }),
  'an expired token': () => signToken({ sub: ann.user.id, exp: seconds() - 60 }),
  'a token without exp': () => signToken({ sub: ann.user.id, exp: undefined }),
  'a token whose exp is a string': () => signToken({ sub: ann.user.id, exp: String(seconds() + 3600) }),
  'a token that is not valid yet': () => signToken({ sub: ann.user.id, nbf: seconds() + 60 }),
  'alg none': () => unsignedToken({ sub: ann.user.id }),
  'alg HS384': () => signToken({ sub: ann.user.id }, { header: { alg: 'HS384' }, algorithm: 'sha384' }),
  'a critical header': () => signToken({ sub: ann.user.id }, { header: { crit: ['b64'], b64: true } }),
  'a user who does not exist': () => signToken({ sub: 'f'.repeat(24) }),
  'a user id that is none': () => signToken({ sub: 'ann' }),
  'a token without a user': () => signToken({}),
  'a user id that is an object': () => signToken({ sub: { $ne: null } }),
};

for (const [name, token] of Object.entries(REFUSED)) {
  test(`${name} is refused on the socket and over REST`, async () => {
    const error = await refusedConnect(server.url, token(), TRANSPORTS.websocket);
    assertError(error.data, 'unauthorized');
    const value = token();
    const answer = await rest(server.url, 'GET', '/api/auth/profile', {
      headers: { authorization: `Bearer ${typeof value === 'string' ? value : JSON.stringify(value)}` },
    });
    assert.equal(answer.status, 401);
    assertError(answer.json, 'unauthorized');
  });
}

test('the user id is the first of sub, userId, id and _id that is present', async () => {
  for (const claim of ['sub', 'userId', 'id', '_id']) {
    const answer = await rest(server.url, 'GET', '/api/auth/profile', { token: signToken({ [claim]: ann.user.id }) });
    assert.equal(answer.status, 200, `${claim}: ${answer.text}`);
    assert.equal(answer.json.user.id, ann.user.id);
  }
  const both = signToken({ sub: ann.user.id, userId: 'f'.repeat(24) });
  assert.equal((await rest(server.url, 'GET', '/api/auth/profile', { token: both })).status, 200);
  const wrong = signToken({ sub: 'f'.repeat(24), userId: ann.user.id });
  assert.equal((await rest(server.url, 'GET', '/api/auth/profile', { token: wrong })).status, 401);
});

test('ten seconds past exp a token still passes, for clocks that differ', async () => {
  const token = signToken({ sub: ann.user.id, exp: seconds() - 3 });
  assert.equal((await rest(server.url, 'GET', '/api/auth/profile', { token })).status, 200);
});

test('a refused connect does not end the engine: the same client may try again with a token', async () => {
  let token = 'nonsense';
  const socket = await connect(server.url, undefined, { auth: (give) => give({ token }), autoConnect: true }).catch(
    () => null,
  );
  assert.equal(socket, null);
  token = ann.token;
  const again = await connect(server.url, undefined, { auth: (give) => give({ token }) });
  assert.ok(again.connected);
});

test('a token in the query passes only where the setting allows it', { skip: Boolean(REMOTE) }, async () => {
  const query = { token: ann.token };
  const error = await refusedConnect(server.url, undefined, { ...TRANSPORTS.websocket, query });
  assertError(error.data, 'unauthorized');

  const open = await startServer({ env: { QUERY_TOKEN: 'on' } });
  try {
    const bob = await register(open.url);
    for (const options of Object.values(TRANSPORTS)) {
      const socket = await connect(open.url, undefined, { ...options, query: { token: bob.token } });
      assert.ok(socket.connected);
    }
  } finally {
    await open.stop();
  }
});

test('the token that the server issues is one that an older application can verify', async () => {
  const [header, payload, signature] = ann.token.split('.');
  const { createHmac } = await import('node:crypto');
  const expected = createHmac('sha256', JWT_SECRET).update(`${header}.${payload}`).digest('base64url');
  assert.equal(signature, expected);
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  assert.equal(claims.sub, ann.user.id);
  assert.equal(claims.userId, ann.user.id);
  assert.equal(claims.username, ann.user.username);
  assert.equal(claims.exp - claims.iat, ann.expiresIn);
  assert.ok(claims.jti);
});

// HTTP that is wrong: bodies, methods, paths, origins and raw bytes. Each gets its code, nobody else notices.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  REMOTE,
  assertError,
  closeAll,
  rawHttp,
  register,
  request,
  residentBytes,
  rest,
  startServer,
  uniqueName,
} from './server.mjs';

let server, ann;
before(async () => {
  server = await startServer({ env: { HEADER_TIMEOUT_MS: '1000', BODY_TIMEOUT_MS: '1000' } });
  ann = await register(server.url);
});
after(async () => {
  closeAll();
  await server.stop();
});

const post = (body, headers = { 'content-type': 'application/json' }, path = '/api/auth/login') =>
  request(server.url + path, { method: 'POST', body, headers });

const MALFORMED = {
  'no body': '',
  'half an object': '{"email":',
  'a trailing comma': '{"email":"a@b.example","password":"x",}',
  'two values': '{} {}',
  'bare words': 'email=a&password=b',
  'bytes that are no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  'a lone surrogate': '{"username":"\\ud800abc","password":"correct horse"}',
  '5,000 nested arrays': '['.repeat(5000) + ']'.repeat(5000),
  '5,000 nested arrays in a field': `{"email":${'['.repeat(5000)}${']'.repeat(5000)},"password":"x"}`,
  '5,000 open objects': '{"a":'.repeat(5000),
};
for (const [name, body] of Object.entries(MALFORMED)) {
  test(`${name} as a body is invalid_input`, async () => {
    const { status, json } = await post(body);
    assert.equal(status, 400);
    assertError(json, 'invalid_input');
  });
}

const ODD = {
  'a repeated field': '{"username":"a","username":"b","password":"correct horse"}',
  '__proto__ for the fields': '{"__proto__":{"username":"abc"},"password":"correct horse"}',
  'a number past 2^53 for a name': '{"username":9007199254740993,"password":"correct horse"}',
  'a number past all bounds': '{"username":"abc","password":1e999}',
};
for (const [name, body] of Object.entries(ODD)) {
  test(`${name} in a body is invalid_input`, async () => {
    const { status, json } = await post(body);
    assert.equal(status, 400);
    assertError(json, 'invalid_input');
  });
}

test('odd fields that nobody reads do no harm', async () => {
  const odd = `"__proto__":{"x":1},"${'k'.repeat(10_240)}":1,"a":1,"a":2,"n":9007199254740993,"m":1e308`;
  const { status, json } = await post(`{"username":"${uniqueName()}","password":"correct horse",${odd}}`);
  assert.equal(status, 401);
  assertError(json, 'unauthorized');
});

test('what is not JSON by its type is unsupported_media_type', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', undefined]) {
    const headers = type ? { 'content-type': type } : {};
    const { status, json } = await post('{"email":"a@b.example","password":"x"}', headers);
    assert.equal(status, 415, String(type));
    assertError(json, 'unsupported_media_type');
  }
});

test('JSON with a charset is JSON', async () => {
  const { status } = await post('{"email":"a@b.example","password":"x"}', {
    'content-type': 'application/json; charset=utf-8',
  });
  assert.equal(status, 401);
});

test('a body over 64 KiB is payload_too_large, by its length and by its chunks', async () => {
  const body = JSON.stringify({ username: 'x'.repeat(65_536), email: 'a@b.example', password: 'correct horse' });
  for (const headers of [{ 'content-length': Buffer.byteLength(body) }, { 'transfer-encoding': 'chunked' }]) {
    const answer = await post(body, { 'content-type': 'application/json', ...headers }, '/api/auth/register');
    assert.equal(answer.status, 413);
    assertError(answer.json, 'payload_too_large');
  }
});

test('a body just under 64 KiB is read', async () => {
  const body = JSON.stringify({ username: uniqueName(), password: 'x'.repeat(65_000) });
  assert.ok(body.length < 65_536);
  assert.equal((await post(body)).status, 401);
});

test('names of 1 MB are refused and leave the memory where it was', { skip: Boolean(REMOTE) }, async () => {
  const body = JSON.stringify({ username: 'x'.repeat(1_000_000), email: 'a@b.example', password: 'correct horse' });
  const flood = async () => {
    for (let round = 0; round < 20; round += 1) {
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => post(body, undefined, '/api/auth/register').catch(() => ({ status: 413 }))),
      );
      for (const { status } of answers) assert.equal(status, 413);
    }
  };
  await flood();
  const before = residentBytes(server.pid);
  await flood();
  assert.ok(residentBytes(server.pid) - before < 10e6);
});

test('an unknown path and an unknown method are not_found', async () => {
  for (const [method, path] of [
    ['GET', '/api'],
    ['GET', '/api/nothing'],
    ['POST', '/api/auth/nothing'],
    ['GET', '/api/auth/login'],
    ['DELETE', '/health'],
    ['PUT', '/api/users'],
    ['GET', '/api/chat/history/'],
    ['GET', '/api/users/..%2f..%2fetc/passwd'],
  ]) {
    const { status, json, headers } = await rest(server.url, method, path, { token: ann.token });
    assert.equal(status, 404, `${method} ${path}`);
    assertError(json, 'not_found');
    assert.match(headers['content-type'], /^application\/json/);
  }
});

const preflight = (origin, path = '/api/auth/login') =>
  request(server.url + path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    },
  });

test('in development any localhost may preflight and call', async () => {
  for (const origin of ['http://localhost:3000', 'http://127.0.0.1:5173', 'https://localhost']) {
    const asked = await preflight(origin);
    assert.ok([200, 204].includes(asked.status), `${asked.status} ${asked.text}`);
    assert.equal(asked.headers['access-control-allow-origin'], origin);
    assert.match(asked.headers['access-control-allow-methods'], /POST/);
    assert.match(asked.headers['access-control-allow-headers'].toLowerCase(), /authorization/);
    assert.match(asked.headers['access-control-allow-headers'].toLowerCase(), /content-type/);
    const called = await rest(server.url, 'GET', '/health', { headers: { origin } });
    assert.equal(called.status, 200);
    assert.equal(called.headers['access-control-allow-origin'], origin);
    assert.match(called.headers.vary ?? '', /origin/i);
  }
});

test('errors carry the CORS headers too, so that a page can read them', async () => {
  const origin = 'http://localhost:3000';
  for (const path of ['/api/auth/profile', '/api/nothing']) {
    const answer = await rest(server.url, 'GET', path, { headers: { origin } });
    assert.equal(answer.headers['access-control-allow-origin'], origin, path);
  }
});

test('the same origin and no origin pass, a foreign one is forbidden', async () => {
  assert.equal((await rest(server.url, 'GET', '/health', { headers: { origin: server.url } })).status, 200);
  for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example', 'http://evil.example#localhost']) {
    const answer = await rest(server.url, 'GET', '/api/auth/profile', { token: ann.token, headers: { origin } });
    assert.equal(answer.status, 403, origin);
    assertError(answer.json, 'forbidden');
    const asked = await preflight(origin);
    assert.ok(asked.status === 403 || !asked.headers['access-control-allow-origin'], `${origin} may preflight`);
  }
});

test('with a list of origins only those pass', { skip: Boolean(REMOTE) }, async () => {
  const listed = await startServer({ env: { CORS_ORIGINS: 'https://chat.example,https://www.chat.example' } });
  try {
    const ask = (origin) => rest(listed.url, 'GET', '/health', { headers: { origin } });
    assert.equal((await ask('https://www.chat.example')).headers['access-control-allow-origin'], 'https://www.chat.example');
    for (const origin of ['https://chat.example.evil.example', 'http://chat.example', 'http://localhost:3000']) {
      assert.equal((await ask(origin)).status, 403, origin);
    }
  } finally {
    await listed.stop();
  }
});

test('bytes that are no HTTP are answered or dropped, never hung on', async () => {
  for (const bytes of [
    'nonsense\r\n\r\n',
    'GET / HTTP/9.9\r\n\r\n',
    `GET /${'x'.repeat(200_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(20_000)}\r\n`,
    'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
    'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc]),
  ]) {
    const answer = await rawHttp(server.url, bytes);
    assert.ok(answer === '' || /^HTTP\/1\.[01] (4\d\d|505)/.test(answer), answer.slice(0, 200));
  }
});

test('headers that never end and bodies that never come are given up', async () => {
  for (const begun of ['', '\r\n', 'GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ']) {
    const slow = await rawHttp(server.url, begun);
    assert.match(slow, /^HTTP\/1\.1 408 Request Timeout\r\n(.+\r\n)*connection: close\r\n/, begun);
  }
  const head = 'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{';
  const body = await rawHttp(server.url, head);
  assert.ok(body === '' || /^HTTP\/1\.1 (400|408)/.test(body), body);
});

test('after all of it the server serves', async () => {
  const answer = await rest(server.url, 'GET', '/api/auth/profile', { token: ann.token });
  assert.equal(answer.status, 200);
});

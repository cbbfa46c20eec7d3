// TLS in the binary: every transport, certificates that are renewed, files that are no good.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect as tlsConnect } from 'node:tls';
import {
  TRANSPORTS,
  closeAll,
  connect,
  fence,
  freePort,
  nextEvent,
  onlyEmbedded,
  runCommand,
  send,
  startServer,
  temporaryFolder,
  until,
  upgraded,
} from './server.mjs';

const skip = spawnSync('openssl', ['version']).error ? 'openssl is not installed' : onlyEmbedded('TLS is the same on both');

/** A self-signed certificate and its key, as files. */
function certificate(folder, name) {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const asked = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const more = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  execFileSync('openssl', [...asked, ...more, '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
  return files;
}

describe('TLS', { skip }, () => {
  const folder = temporaryFolder();
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  let first;
  let server;
  let url;
  let trust;

  const place = ({ cert, key }) => (copyFileSync(cert, files.cert), copyFileSync(key, files.key));

  /** A REST call over TLS. */
  const rest = (method, path, body) =>
    new Promise((done, failed) => {
      const call = httpsRequest(url + path, { method, ca: trust, agent: false, headers: { 'content-type': 'application/json' } }, async (answer) => {
        let text = '';
        for await (const piece of answer) text += piece;
        done({ status: answer.statusCode, json: JSON.parse(text) });
      });
      call.once('error', failed);
      call.end(body && JSON.stringify(body));
    });

  const register = async (username) => {
    const answer = await rest('POST', '/api/auth/register', { username, email: `${username}@example.org`, password: 'correct horse' });
    assert.equal(answer.status, 201);
    return answer.json;
  };

  /** A handshake: the name in the certificate, and what was agreed on. */
  const handshake = (options = {}) =>
    new Promise((done, failed) => {
      const socket = tlsConnect({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false, ...options }, () => {
        done({ name: socket.getPeerCertificate().subject.CN, protocol: socket.alpnProtocol, version: socket.getProtocol() });
        socket.destroy();
      });
      socket.once('error', failed);
    });

  before(async () => {
    first = certificate(folder, 'first');
    place(first);
    trust = readFileSync(files.cert);
    const env = { TLS_CERT: files.cert, TLS_KEY: files.key, HEADER_TIMEOUT_MS: '700', LOG_LEVEL: 'info' };
    server = await startServer({ env, ca: trust });
    url = server.url;
  });

  after(async () => {
    closeAll();
    assert.equal(await server?.stop(), 0);
  });

  for (const [name, options] of Object.entries(TRANSPORTS)) {
    test(`messages go both ways over ${name}`, async () => {
      const [ann, bob] = await Promise.all([register(`ann-${name}`), register(`bob-${name}`)]);
      const sockets = [];
      for (const { token } of [ann, bob]) sockets.push(await connect(url, token, { ...options, ca: trust }));
      if (name === 'upgrade') await Promise.all(sockets.map(upgraded));
      const [from, to] = sockets;
      const text = '漢'.repeat(3_990);
      for (let n = 0; n < 20; n++) await send(from, bob.user.id, text + n);
      await send(from, bob.user.id, 'short');
      await nextEvent(to, 'private_message', ({ message }) => message === 'short');
      await fence(to, from, ann.user.id);
    });
  }

  test('HTTP/1.1 is the only protocol, over TLS 1.3 and 1.2', async () => {
    const both = await handshake({ ALPNProtocols: ['h2', 'http/1.1'] });
    assert.deepEqual(both, { name: 'first', protocol: 'http/1.1', version: 'TLSv1.3' });
    assert.equal((await handshake({ maxVersion: 'TLSv1.2' })).version, 'TLSv1.2');
  });

  test('a handshake that does not come is cut off in time, and so is plain HTTP', async () => {
    for (const words of ['', 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\x02\x00\x01']) {
      const socket = net.connect(server.port, '127.0.0.1', () => socket.write(words));
      socket.on('error', () => {}).resume();
      await new Promise((closed) => socket.once('close', closed));
    }
  });

  test('SIGHUP renews the certificate; open connections stay, files that are no good change nothing', async () => {
    const [ann, bob] = [await register('ann-renewed'), await register('bob-renewed')];
    const sockets = [];
    for (const { token } of [ann, bob]) sockets.push(await connect(url, token, { ...TRANSPORTS.websocket, ca: trust }));
    place(certificate(folder, 'second'));
    server.signal('SIGHUP');
    await until('the new certificate', async () => (await handshake()).name === 'second');
    await fence(...sockets, bob.user.id);
    writeFileSync(files.cert, 'broken');
    server.signal('SIGHUP');
    await until('the line in the log', () => server.log().includes('the certificate stays as it was'));
    assert.equal((await handshake()).name, 'second');
    place(first);
    server.signal('SIGHUP');
    await until('the old one again', async () => (await handshake()).name === 'first');
    await fence(...sockets, bob.user.id);
  });

  test('files that are no good end the start with the setting\'s name and nothing of the key', async () => {
    const other = certificate(folder, 'other');
    const broken = join(folder, 'broken.key');
    const secret = 'c2VjcmV0IG9mIHRoZSBrZXk=';
    writeFileSync(broken, `-----BEGIN PRIVATE KEY-----\n${secret}\n-----END PRIVATE KEY-----\n`);
    const cases = [
      [{ TLS_CERT: first.cert }, /TLS_KEY: must be given where TLS_CERT is/],
      [{ TLS_KEY: first.key }, /TLS_CERT: must be given where TLS_KEY is/],
      [{ TLS_CERT: join(folder, 'none'), TLS_KEY: first.key }, /TLS_CERT: .*none can't be read/],
      [{ TLS_CERT: first.cert, TLS_KEY: join(folder, 'none') }, /TLS_KEY: .*none can't be read/],
      [{ TLS_CERT: first.key, TLS_KEY: first.key }, /TLS_CERT: .* holds no certificate/],
      [{ TLS_CERT: first.cert, TLS_KEY: first.cert }, /TLS_KEY: .* holds no private key/],
      [{ TLS_CERT: first.cert, TLS_KEY: broken }, /TLS_KEY: .* holds no private key/],
      [{ TLS_CERT: first.cert, TLS_KEY: other.key }, /TLS_KEY: .* does not fit TLS_CERT/],
    ];
    for (const [env, line] of cases) {
      const { code, log } = await runCommand(['serve'], { env: { ...env, PORT: await freePort() } });
      assert.equal(code, 2, log);
      assert.match(log, line);
      assert.equal(log.trimEnd().split('\n').length, 1, log);
      assert.ok(!log.includes(secret) && !log.includes('PRIVATE KEY'), log);
    }
  });

  test('check-config shows the paths', async () => {
    const { code, log } = await runCommand(['check-config'], { env: { TLS_CERT: first.cert, TLS_KEY: first.key } });
    assert.equal(code, 0, log);
    assert.ok(log.includes(`TLS_CERT = ${first.cert}`) && log.includes(`TLS_KEY = ${first.key}`), log);
  });
});

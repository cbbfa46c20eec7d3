// Plain HTTP: requests that no client library would send belong here too.
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';

/** One request on a connection of its own: `{status, headers, bytes, text, json}`. A string body is sent as it is. */
export function request(url, { method = 'GET', headers = {}, body, signal } = {}) {
  return new Promise((done, failed) => {
    const call = http.request(url, { method, headers, agent: false, signal }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.once('error', failed);
      answer.once('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        done({ status: answer.statusCode, headers: answer.headers, bytes, text, json });
      });
    });
    call.setTimeout(20_000, () => call.destroy(new Error(`no answer to ${method} ${url}`)));
    call.once('error', failed);
    call.end(body);
  });
}

/** A REST call with a JSON body and a bearer token. */
export function rest(base, method, path, { token, body, headers = {} } = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  return request(base + path, {
    method,
    body: text,
    headers: {
      ...(text !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    },
  });
}

/** Writes bytes to the server and resolves with all that it answered until it closed the connection. */
export function rawHttp(base, bytes) {
  const { hostname, port } = new URL(base);
  return new Promise((done, failed) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes));
    let answer = '';
    socket.setTimeout(20_000, () => socket.destroy(new Error('the connection was left open')));
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    socket.once('error', (error) => (error.code === 'ECONNRESET' || error.code === 'EPIPE' ? done(answer) : failed(error)));
    socket.once('close', () => done(answer));
  });
}

/** A name that nobody has. */
export const uniqueName = (prefix = 'u') => `${prefix}_${randomBytes(6).toString('hex')}`;

/** Registers somebody new: `{token, user, password}`. */
export async function register(base, fields = {}) {
  const username = fields.username ?? uniqueName();
  const password = fields.password ?? 'correct horse';
  const body = { username, email: `${username}@example.org`, password, ...fields };
  const answer = await rest(base, 'POST', '/api/auth/register', { body });
  if (answer.status !== 201) throw new Error(`register: ${answer.status} ${answer.text}`);
  return { ...answer.json, password };
}

/** Registers many, some at a time: hashing has a bounded queue. `fields` gives the nth one's. */
export async function registerMany(base, count, fields = () => ({})) {
  const users = [];
  while (users.length < count) {
    const batch = Array.from({ length: Math.min(10, count - users.length) }, (_, n) => fields(users.length + n));
    users.push(...(await Promise.all(batch.map((each) => register(base, each)))));
  }
  return users;
}

/** Logs in: the whole answer. */
export const login = (base, body) => rest(base, 'POST', '/api/auth/login', { body });

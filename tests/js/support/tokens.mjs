// Signs tokens as an older application with the same secret would.
import { createHmac } from 'node:crypto';

/** The secret of every server that these tests start. */
export const JWT_SECRET = process.env.CHAT_JWT_SECRET ?? 'a-secret-for-tests-only-0123456789abcdef';

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

/** An HS256 token; `claims` replaces the defaults, `undefined` leaves one out. */
export function signToken(claims, { header = {}, secret = JWT_SECRET, algorithm = 'sha256' } = {}) {
  const payload = { iat: seconds(), exp: seconds() + 3600, ...claims };
  const signed = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(payload)}`;
  return `${signed}.${createHmac(algorithm, secret).update(signed).digest('base64url')}`;
}

/** A token with `alg: none` and no signature. */
export function unsignedToken(claims) {
  return `${encode({ alg: 'none', typ: 'JWT' })}.${encode({ exp: seconds() + 3600, ...claims })}.`;
}

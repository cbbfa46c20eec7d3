// Two people and their devices, as most files begin each test.
import { TRANSPORTS, connect } from './client.mjs';
import { register } from './http.mjs';

/**
 * Registers two people and connects a device of theirs for each transport named:
 * `{ann, bob, devices: [those of Ann, those of Bob]}`.
 */
export async function twoPeople(url, ...transports) {
  const people = await Promise.all([register(url), register(url)]);
  const connecting = people.map(({ token }, i) => Promise.all(transports[i].map((name) => connect(url, token, TRANSPORTS[name]))));
  const [ann, bob] = people;
  return { ann, bob, devices: await Promise.all(connecting) };
}

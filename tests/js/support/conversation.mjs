// Walks a whole conversation and checks it against what was acknowledged.
import assert from 'node:assert/strict';
import { rest } from './http.mjs';

/** Every message between the owner of `token` and `otherId`, oldest first. */
export async function wholeConversation(url, token, otherId) {
  const messages = [];
  let before;
  do {
    const query = `limit=100${before ? `&before=${before}` : ''}`;
    const answer = await rest(url, 'GET', `/api/chat/history/${otherId}?${query}`, { token });
    assert.equal(answer.status, 200, answer.text);
    messages.unshift(...answer.json.messages);
    before = answer.json.next;
  } while (before);
  return messages;
}

/** `seq` is 1, 2, 3 … without gaps, no id and no `clientId` stands twice, and every acknowledged message is there. */
export function assertComplete(messages, acknowledged) {
  assert.deepEqual(messages.map((message) => message.seq), messages.map((_, index) => index + 1), 'seq has gaps');
  const byId = new Map(messages.map((message) => [message.id, message]));
  assert.equal(byId.size, messages.length, 'an id stands twice');
  const clientIds = messages.map((message) => message.clientId).filter(Boolean);
  assert.equal(new Set(clientIds).size, clientIds.length, 'a clientId stands twice');
  for (const ack of acknowledged) {
    const stored = byId.get(ack.id);
    assert.ok(stored, `message ${ack.id} (seq ${ack.seq}) was acknowledged and is gone`);
    assert.deepEqual([stored.seq, stored.message], [ack.seq, ack.message]);
  }
}

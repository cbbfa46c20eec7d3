// Some hundred generated sessions against the echo server and Node's; thousands: `make differential`.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differential, report } from './differential.mjs';

test("clients see of the echo server what they see of Node's, but for the listed differences", async () => {
  const outcome = await differential(1, 400);
  const { differences, transitions, undocumented } = outcome;
  assert.deepEqual(differences, [], report(outcome).join('\n'));
  assert.deepEqual(undocumented, [], 'rows that docs/protocol.md lacks');
  assert.deepEqual([...transitions].filter(([, times]) => times === 0), [], 'transitions that no session reached');
});

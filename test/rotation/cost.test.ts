import { beforeAll, expect, test } from 'vitest';
import { countCost } from '../bench/cost.ts';
import { type Counts, ofLedger } from '../bench/statements.ts';

// What a rotation costs today, as upper bounds. They must only fall: where a change needs more, it says why. The aim is
// 12 statements on the target, 12 of the ledger, and 2.3 sessions on the target. `npm run bench -- --only c --verbose`
// prints the statements: 32 and 11 where the machine is idle. On a busy one some rotations look again, for a session
// that is slow to start.
const TARGET_STATEMENTS = 35;
const TARGET_SESSIONS = 2.3;
const LEDGER_STATEMENTS = 13;
/** BullMQ on PostgreSQL, and what new sessions ask first. A slow machine polls more often. */
const OTHER_STATE_STATEMENTS = 8;

const ROTATIONS = 100;

let counts: Counts;

beforeAll(async () => {
  counts = await countCost('PostgreSQL', ROTATIONS);
}, 300_000);

test(`a rotation without a drain sends at most ${TARGET_STATEMENTS} statements to the target`, () => {
  expect(counts.target.statements / ROTATIONS).toBeLessThanOrEqual(TARGET_STATEMENTS);
  expect(counts.target.statements).toBeGreaterThan(ROTATIONS);
});

test(`100 rotations open at most ${TARGET_SESSIONS} sessions each on the target`, () => {
  expect(counts.target.sessions / ROTATIONS).toBeLessThanOrEqual(TARGET_SESSIONS);
  // Two logins are proven in each.
  expect(counts.target.sessions / ROTATIONS).toBeGreaterThanOrEqual(2);
});

test(`a rotation without a drain sends at most ${LEDGER_STATEMENTS} statements to the ledger`, () => {
  expect(ofLedger(counts.state) / ROTATIONS).toBeLessThanOrEqual(LEDGER_STATEMENTS);
  expect(ofLedger(counts.state)).toBeGreaterThan(ROTATIONS);
});

test(`a rotation without a drain sends at most ${OTHER_STATE_STATEMENTS} other statements to the state database`, () => {
  const others = counts.state.statements - ofLedger(counts.state);
  expect(others / ROTATIONS).toBeLessThanOrEqual(OTHER_STATE_STATEMENTS);
});

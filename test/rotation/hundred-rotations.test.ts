import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { readPublishedLogin } from '../../src/cli/commands/demo/published-login.ts';
import { isFault } from '../../src/facts/fault.ts';
import type { SeenSession } from '../../src/facts/rotation/use-facts.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { tellError } from '../../src/messages/tell.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

const ROTATIONS = 100;
/** Every so many rotations a transaction is open on the login that goes out. */
const HELD_EVERY = 10;
/** How long a consumer may take from reading a credential to being logged in. */
const GRACE_MS = 150;
/** How long the clients keep what they read before they use it. */
const CACHE_MS = 50;
const CLIENT_INTERVAL_MS = 10;
/** Enough for one every 10 ms; those that a slow machine lets pile up would only slow it down more. */
const CLIENTS_AT_ONCE = 6;

test('100 rotations refuse no login to a client that connects anew every 10 ms, and cut no transaction that is within the drain deadline (G1)(G2)', {
  timeout: 600_000,
}, async () => {
  await using scenario = await openScenario(inject('postgres'), {
    policy: {
      password: { length: 32, symbols: '' },
      drain: { grace: GRACE_MS, timeout: 60_000, onTimeout: 'terminate' },
    },
  });
  await scenario.admin.query(
    'CREATE TABLE public.held (rotation integer); GRANT INSERT ON public.held TO PUBLIC',
  );
  await scenario.finish(await scenario.request());

  const clients = startClients(scenario);
  const published = new Set<string>();
  const revoked: boolean[] = [];
  for (let number = 1; number <= ROTATIONS; number += 1) {
    const before = await scenario.published();
    const rotation = await scenario.request();
    if (number % HELD_EVERY === 0) await holdThrough(scenario, rotation, number);
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    published.add((await scenario.published()).password);
    revoked.push(await isRefused(scenario, before));
  }
  const { logins, refused, failed } = await clients.stop();

  expect({ refused, failed }).toEqual({ refused: 0, failed: [] });
  expect(logins).toBeGreaterThan(ROTATIONS * 5);
  expect(published.size).toBe(ROTATIONS);
  expect(revoked.every(Boolean)).toBe(true);
  const { rows } = await scenario.admin.query('SELECT rotation FROM public.held ORDER BY rotation');
  expect(rows.map((row) => row.rotation)).toEqual(
    Array.from({ length: ROTATIONS / HELD_EVERY }, (_, index) => (index + 1) * HELD_EVERY),
  );
});

/** Has a transaction of the login that goes out open while the rotation publishes and drains, then commits it. */
async function holdThrough(scenario: Scenario, rotation: Rotation, number: number): Promise<void> {
  const old = await scenario.published();
  await using session = await scenario.logIn(old);
  await session.client.query('BEGIN');
  await session.client.query('INSERT INTO public.held VALUES ($1)', [number]);
  for (;;) {
    const outcome = await scenario.run(rotation);
    if (outcome.status !== 'waiting') throw new Error(`${outcome.status} in spite of the transaction`);
    const { code, params } = outcome.fact;
    if (code === 'drain-waiting-for-sessions' && params.sessions.some(isInTransaction)) break;
    await sleep(Math.max(0, outcome.until - Date.now()));
  }
  // Whoever still has the old credential gets in as long as it drains.
  await using _late = await scenario.logIn(old);
  await session.client.query('COMMIT');
}

function isInTransaction({ state }: SeenSession): boolean {
  return state === 'idle in transaction';
}

async function isRefused(
  scenario: Scenario,
  credential: { username: string; password: string },
): Promise<boolean> {
  try {
    await using _session = await scenario.logIn(credential);
    return false;
  } catch (error) {
    return isFault(error, 'login-refused');
  }
}

interface Count {
  logins: number;
  refused: number;
  /** What else went wrong. */
  readonly failed: string[];
}

/** Every 10 ms a client of its own: reads what is published, logs in with that a little later, runs a query, leaves. */
function startClients(scenario: Scenario): { stop(): Promise<Count> } {
  const count: Count = { logins: 0, refused: 0, failed: [] };
  const going = new Set<Promise<void>>();
  const timer = setInterval(() => {
    if (going.size >= CLIENTS_AT_ONCE) return;
    const client = visit(scenario, count).finally(() => going.delete(client));
    going.add(client);
  }, CLIENT_INTERVAL_MS);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(going);
      return count;
    },
  };
}

async function visit(scenario: Scenario, count: Count): Promise<void> {
  const began = performance.now();
  let enteredAt: number | undefined;
  try {
    const login = await readPublishedLogin(join(scenario.folder, 'app'));
    if (!login) throw new Error('nothing is published');
    await sleep(CACHE_MS);
    await using session = await scenario.logIn(login);
    enteredAt = performance.now();
    await session.client.query('SELECT 1');
    count.logins += 1;
  } catch (error) {
    // A machine so slow that logging in outlasted the grace tells nothing of the guarantee: such a login may be refused,
    // or cut while it starts.
    if ((enteredAt ?? performance.now()) - began >= GRACE_MS) return;
    if (isFault(error, 'login-refused')) count.refused += 1;
    else count.failed.push(tellError(error));
  }
}

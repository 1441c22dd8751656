import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { cancel } from '../../src/rotation/cancel.ts';
import type { RotationRun } from '../../src/rotation/context/rotation-view.ts';
import { rollBack } from '../../src/rotation/roll-back.ts';
import { rotate } from '../../src/rotation/rotate.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { draining } from '../support/draining.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { storeWith } from '../support/store-with.ts';

let scenario: Scenario;
beforeAll(async () => {
  scenario = draining(await openScenario(inject('postgres')), {});
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
});
afterAll(() => scenario[Symbol.asyncDispose]());

/** What a process does that falls asleep: the whole of it, up to its end. */
type Work = (context: RotationRun) => Promise<unknown>;

/**
 * A process that falls asleep right before its n-th call of the ledger or of a verb that changes the store, or right before
 * the store confirms the lock, and loses the lock, if it holds one. `fellAsleep` is false where it makes fewer calls.
 */
function sleeper(from: Scenario, nth: number) {
  let calls = 0;
  let wake = () => {};
  let sleep = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const isAsleep = new Promise<string>((resolve) => {
    sleep = () => resolve('asleep');
  });
  async function mayFallAsleep(): Promise<void> {
    calls += 1;
    if (calls !== nth) return;
    sleep();
    await woken;
  }
  function lulled<Target extends object>(target: Target, verbs: (name: string) => boolean): Target {
    return new Proxy(target, {
      get(own, name) {
        const value = Reflect.get(own, name);
        if (typeof value !== 'function' || !verbs(String(name))) return value;
        return async (...args: unknown[]) => {
          await mayFallAsleep();
          return value.apply(own, args);
        };
      },
    });
  }
  const [primary] = from.destinations;
  // The store confirms when all that is left to do is the rename that consumers see.
  const confirming = storeWith(primary.store, {
    promote: (mapping, token, options) =>
      primary.store.promote(mapping, token, {
        ...options,
        async confirm() {
          await mayFallAsleep();
          await options?.confirm?.();
        },
      }),
  });
  const store: SecretStore = lulled(confirming, (name) => ['stage', 'promote', 'discard'].includes(name));
  const ledger: Ledger = lulled(from.ledger, () => true);
  const asleep = from.with({ ledger, destinations: [{ ...primary, store }] });
  async function fallsAsleep(work: Promise<unknown>): Promise<boolean> {
    if ((await Promise.race([isAsleep, work])) !== 'asleep') return false;
    // As idle_in_transaction_session_timeout does.
    await from.admin.query(
      `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'keyturn rotator' AND pid <> pg_backend_pid()
          AND state LIKE 'idle in transaction%'`,
    );
    return true;
  }
  return { asleep, fallsAsleep, wake };
}

/** All that somebody could have changed. */
async function world(): Promise<unknown> {
  const { admin, policy, destinations, ledger } = scenario;
  const { rows: roles } = await admin.query(
    'SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE rolname = ANY ($1) ORDER BY 1',
    [policy.logins],
  );
  const [{ store, secrets }] = destinations;
  const stages = ['current', 'pending', 'previous'] as const;
  const rotations = await ledger.latest({ policy: policy.name, limit: 1_000 });
  return {
    roles,
    versions: await Promise.all(stages.map((stage) => store.read(secrets, stage))),
    rotations,
    events: await ledger.events(rotations.map(({ id }) => id)),
  };
}

/** Ends what the sleeper was at and some more, and has another drain; returns that, with the session that keeps it. */
async function moveOn(rotation: Rotation, more: number) {
  await scenario.finish(rotation);
  for (let round = 0; round < more; round += 1) {
    expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  }
  const session = await scenario.logIn(await scenario.published());
  const next = await scenario.request();
  expect(await scenario.run(next)).toMatchObject({ status: 'waiting' });
  return { session, next };
}

/** Has a process sleep at each of its calls in turn. Returns how many there were. */
async function sleepEverywhere(
  begin: () => Promise<Rotation>,
  work: Work,
  from: Scenario = scenario,
): Promise<number> {
  for (let nth = 1; ; nth += 1) {
    const rotation = await begin();
    const { asleep, fallsAsleep, wake } = sleeper(from, nth);
    const context = asleep.context(rotation);
    const working = work(context).catch((error: Error) => error);
    const isAsleep = await fallsAsleep(working);
    if (!isAsleep) {
      await context[Symbol.asyncDispose]();
      await scenario.finish(rotation);
      return nth - 1;
    }
    // Its own version is the one before in the store, or forgotten there.
    const { session, next } = await moveOn(rotation, nth % 2 === 0 ? 2 : 0);
    const before = await world();
    wake();
    await working;
    await context[Symbol.asyncDispose]();
    expect(await world(), `asleep at call ${nth}`).toEqual(before);
    await session.client.query('SELECT 1');
    await session[Symbol.asyncDispose]();
    expect(await scenario.finish(next), `asleep at call ${nth}`).toEqual({ status: 'done' });
  }
}

test('A worker that sleeps anywhere in a rotation, and wakes up rotations later, changes nothing (G1, G2, G4)', async () => {
  const calls = await sleepEverywhere(() => scenario.request(), rotate);
  expect(calls).toBeGreaterThan(10);
}, 600_000);

test('A worker that sleeps anywhere while it fails, and wakes up rotations later, changes nothing (G2, G5)', async () => {
  const broken = scenario.with({ policy: { ...scenario.policy, verify: ['SELECT 1/0'] } });
  const calls = await sleepEverywhere(() => scenario.request(), rotate, broken);
  expect(calls).toBeGreaterThan(10);
}, 600_000);

test('A command that sleeps while it cancels or rolls back, and wakes up rotations later, changes nothing (G2, G4)', async () => {
  const opened = async () => {
    const rotation = await scenario.request();
    const stopped = scenario.with({
      policy: { ...scenario.policy, verify: ['SELECT pg_terminate_backend(pg_backend_pid())'] },
    });
    expect(await stopped.run(rotation)).toMatchObject({ status: 'retrying' });
    return (await scenario.ledger.find(rotation.id)) ?? rotation;
  };
  expect(
    await sleepEverywhere(opened, (context) => cancel(context, { requestedBy: 'margaret' })),
  ).toBeGreaterThan(2);
  const published = async () => {
    const session = await scenario.logIn(await scenario.published());
    const rotation = await scenario.request();
    await scenario.run(rotation);
    await session[Symbol.asyncDispose]();
    return (await scenario.ledger.find(rotation.id)) ?? rotation;
  };
  expect(
    await sleepEverywhere(published, (context) => rollBack(context, { requestedBy: 'margaret' })),
  ).toBeGreaterThan(0);
}, 600_000);

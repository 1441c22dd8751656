import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { command } from '../../src/facts/remedy.ts';
import { STEP_NAMES, type StepName } from '../../src/ledger/rotation.ts';
import { withPolicyLock } from '../../src/postgres/locks/policy-lock.ts';
import { cancel } from '../../src/rotation/cancel.ts';
import { reportRotation } from '../../src/rotation/report.ts';
import { rollBack } from '../../src/rotation/roll-back.ts';
import { adminOf } from '../support/admin.ts';
import { dyingWith, GONE } from '../support/dying-with.ts';
import { waitingFor } from '../support/expected-facts.ts';
import { onLine } from '../support/on-line.ts';
import { MAPPING, openScenario, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
});
afterEach(() => scenario[Symbol.asyncDispose]());

const other = { username: { secret: 'other/username' }, password: { secret: 'other/password' } };

async function rotateOnce(from: Scenario = scenario) {
  return from.finish(await from.request());
}

/** A rotation that drains: the old login has a session. Ends that when disposed of. */
async function draining(from: Scenario = scenario) {
  const before = await from.published();
  const session = await from.logIn(before);
  const rotation = await from.request();
  expect(await from.run(rotation)).toMatchObject({ status: 'waiting' });
  return { before, after: await from.published(), rotation, session };
}

async function turn(id: string, from: Scenario = scenario) {
  const row = await from.ledger.find(id);
  if (!row) throw new Error('the rotation is gone');
  await using context = from.context(row);
  return await rollBack(context, { requestedBy: 'margaret' });
}

async function stop(id: string, from: Scenario = scenario) {
  const row = await from.ledger.find(id);
  if (!row) throw new Error('the rotation is gone');
  await using context = from.context(row);
  return await cancel(context, { requestedBy: 'margaret' });
}

describe('a rotation that is rolled back while it drains', () => {
  test('publishes the old login again, drains and revokes the new one, and cuts nobody (G1, G2)', async () => {
    await rotateOnce();
    const { before, after, rotation, session } = await draining();
    const late = await scenario.logIn(after);
    expect(await turn(rotation.id)).toMatchObject({ rolledBackBy: 'margaret' });
    expect(await scenario.run(rotation)).toMatchObject({
      status: 'waiting',
      fact: waitingFor(after.username, [{ state: 'idle' }]),
    });
    expect(await scenario.published()).toEqual(before);
    await late[Symbol.asyncDispose]();
    expect(await scenario.finish(rotation)).toEqual({ status: 'rolled back' });
    await session.client.query('SELECT 1');
    await session[Symbol.asyncDispose]();
    await expect(scenario.logIn(after)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
    await (await scenario.logIn(before))[Symbol.asyncDispose]();
    const row = await scenario.ledger.find(rotation.id);
    expect(row).toMatchObject({
      status: 'failed',
      lastFault: { code: 'rotation-rolled-back', params: { by: 'margaret' } },
    });
    const events = await scenario.ledger.events([rotation.id]);
    if (!row) throw new Error('the rotation is gone');
    expect(reportRotation(row, events).steps.map(({ name }) => name)).toEqual([
      'check',
      'stage',
      'set',
      'verify',
      'publish',
      'drain',
      'publish',
      'drain',
      'revoke',
    ]);
    expect(await rotateOnce()).toEqual({ status: 'done' });
    expect((await scenario.published()).username).toBe(after.username);
  });

  test.each(['publish', 'drain', 'revoke'] as StepName[])(
    'stopped right after the effect of %s on the way back, runs again to the same end (G4)',
    async (step) => {
      await rotateOnce();
      const { before, after, rotation, session } = await draining();
      await session[Symbol.asyncDispose]();
      await turn(rotation.id);
      const crashing = scenario.with({
        ledger: dyingWith(scenario.ledger, step, 'done'),
      });
      await expect(crashing.finish(rotation)).rejects.toThrow(GONE);
      await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
      expect(await scenario.finish(rotation)).toEqual({ status: 'rolled back' });
      expect(await scenario.published()).toEqual(before);
      await (await scenario.logIn(before))[Symbol.asyncDispose]();
      await expect(scenario.logIn(after)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
    },
  );

  test('whose publication had reached only some destinations goes back on those (G1)', async () => {
    const destinations = [
      { name: 'primary', store: scenario.store, create: true, secrets: MAPPING },
      { name: 'other', store: scenario.store, create: true, secrets: other },
    ] as const;
    const both = scenario.with({ destinations });
    await rotateOnce(both);
    const before = await both.published();
    const broken = both.with({
      destinations: [
        { ...destinations[0], store: { ...scenario.store, promote: () => Promise.reject(new Error('500')) } },
        destinations[1],
      ],
    });
    const rotation = await broken.request();
    expect(await broken.run(rotation)).toMatchObject({ status: 'retrying', error: { step: 'publish' } });
    await turn(rotation.id, both);
    expect(await both.finish(rotation)).toEqual({ status: 'rolled back' });
    for (const secrets of [MAPPING, other]) {
      expect((await scenario.store.read(secrets, 'current'))?.fields).toEqual(before);
      expect(await scenario.store.read(secrets, 'pending')).toBeUndefined();
    }
    await (await scenario.logIn(before))[Symbol.asyncDispose]();
  });

  test('is not revoked forward by a worker that began before (G1)', async () => {
    await rotateOnce();
    const { before, rotation, session } = await draining();
    await session[Symbol.asyncDispose]();
    const row = await scenario.ledger.find(rotation.id);
    if (!row) throw new Error('the rotation is gone');
    // Its run began with the row as it was; the rollback comes between that and the lock.
    const slow = scenario.with({
      ledger: onLine(scenario.ledger, {
        async before({ step, kind }) {
          if (step === 'revoke' && kind === 'started') await turn(rotation.id);
        },
      }),
    });
    expect(await slow.run(rotation)).toMatchObject({
      status: 'waiting',
      fact: { code: 'rotation-superseded', params: { rotation: rotation.id } },
    });
    expect(await scenario.finish(rotation)).toEqual({ status: 'rolled back' });
    expect(await scenario.published()).toEqual(before);
    await (await scenario.logIn(before))[Symbol.asyncDispose]();
  });

  test('is refused before it is published, once the old login is revoked, for an emergency, and twice', async () => {
    await rotateOnce();
    const unpublished = await scenario.request();
    await expect(turn(unpublished.id)).rejects.toMatchObject({
      fact: {
        code: 'rollback-before-publish',
        params: { rotation: unpublished.id },
        remedies: [command('cancel', scenario.policy.name)],
      },
    });
    expect(await scenario.finish(unpublished)).toEqual({ status: 'done' });

    const { rotation, session } = await draining();
    await turn(rotation.id);
    await expect(turn(rotation.id)).rejects.toMatchObject({
      fact: { code: 'rollback-begun-already', params: { rotation: rotation.id, by: 'margaret' } },
    });
    await session[Symbol.asyncDispose]();
    expect(await scenario.finish(rotation)).toEqual({ status: 'rolled back' });

    const next = await draining();
    await next.session[Symbol.asyncDispose]();
    await scenario.admin.query(`ALTER ROLE ${next.before.username} NOLOGIN`);
    await expect(turn(next.rotation.id)).rejects.toMatchObject({
      fact: { code: 'rollback-after-revoke', params: { login: next.before.username } },
    });
    expect(await scenario.finish(next.rotation)).toEqual({ status: 'done' });

    const leaked = await scenario.request('emergency');
    await expect(turn(leaked.id)).rejects.toMatchObject({
      fact: { code: 'rollback-of-emergency', params: { rotation: leaked.id } },
    });
    await scenario.finish(leaked);
  });
});

describe('a rotation that is cancelled before it is published', () => {
  test.each(STEP_NAMES.slice(0, 4))(
    'after %s takes back what it did, and changes nothing for consumers (G5)',
    async (step) => {
      await rotateOnce();
      const before = await scenario.published();
      const halting = scenario.with({
        ledger: {
          ...onLine(scenario.ledger, {
            after({ step: name, kind }) {
              if (name === step && kind === 'done') throw new Error(GONE);
            },
          }),
          failed: () => Promise.reject(new Error(GONE)),
        },
      });
      const rotation = await halting.request();
      await expect(halting.run(rotation)).rejects.toThrow(GONE);
      expect(await stop(rotation.id)).toMatchObject({
        status: 'failed',
        lastFault: { code: 'rotation-cancelled', params: { by: 'margaret' } },
      });
      expect(await scenario.published()).toEqual(before);
      expect(await scenario.store.read(MAPPING, 'pending')).toBeUndefined();
      const { rows } = await scenario.admin.query(
        'SELECT rolname AS name FROM pg_roles WHERE rolcanlogin AND rolname = ANY ($1)',
        [scenario.policy.logins],
      );
      expect(rows).toEqual([{ name: before.username }]);
      expect(await rotateOnce()).toEqual({ status: 'done' });
    },
  );

  test('is not gone on with by a worker that began before (G5)', async () => {
    await rotateOnce();
    const before = await scenario.published();
    const rotation = await scenario.request();
    // While it has the lock nobody can: its session is ended first.
    const slow = scenario.with({
      ledger: onLine(scenario.ledger, {
        async before({ step, kind }) {
          if (step !== 'publish' || kind !== 'started') return;
          await scenario.admin.query(
            `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
              WHERE datname = current_database() AND state = 'idle in transaction'`,
          );
          await stop(rotation.id);
        },
      }),
    });
    expect(await slow.run(rotation)).toMatchObject({ status: 'waiting' });
    expect(await scenario.published()).toEqual(before);
    expect(await scenario.ledger.find(rotation.id)).toMatchObject({ status: 'failed' });
  });

  test('is refused once it is published, and while somebody else is changing the logins', async () => {
    await rotateOnce();
    const { rotation, session } = await draining();
    await expect(stop(rotation.id)).rejects.toMatchObject({
      fact: {
        code: 'cancel-after-publish',
        params: { rotation: rotation.id, destination: 'files (primary)', endsByItself: null },
        remedies: [command('rollback', scenario.policy.name)],
      },
    });
    await session[Symbol.asyncDispose]();
    await scenario.finish(rotation);
    const next = await scenario.request();
    await using admin = await adminOf(inject('postgres'), scenario.connection.database);
    await withPolicyLock(admin.client, scenario.policy.logins, async () => {
      await expect(stop(next.id)).rejects.toMatchObject({ fact: { code: 'lock-held' } });
    });
    expect(await scenario.finish(next)).toEqual({ status: 'done' });
  });
});

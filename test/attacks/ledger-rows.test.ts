import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { rotateJob } from '../../jobs/rotate.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { cancel } from '../../src/rotation/cancel.ts';
import { rollBack } from '../../src/rotation/roll-back.ts';
import { adminOf } from '../support/admin.ts';
import { dyingWith } from '../support/dying-with.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { uniqueName } from '../support/unique-name.ts';

let scenario: Scenario;
let bystander: string;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
  bystander = uniqueName('bystander');
  await scenario.admin.query(`CREATE ROLE ${bystander} LOGIN PASSWORD 'theirs'`);
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
});
afterEach(async () => {
  await scenario[Symbol.asyncDispose]();
  await using admin = await adminOf(inject('postgres'));
  await admin.client.query(`DROP ROLE ${bystander}`);
});

/** What somebody with the state database writes into the row of an open rotation. */
async function forge({ id }: Rotation, assignments: string, values: unknown[] = []): Promise<void> {
  await scenario.admin.query(`UPDATE keyturn.rotation SET ${assignments} WHERE id = $1`, [id, ...values]);
}

/** All roles of the cluster that this test knows, as they are. */
async function roles(): Promise<unknown> {
  const { rows } = await scenario.admin.query(
    'SELECT rolname, rolcanlogin, rolpassword, rolvaliduntil, rolconnlimit FROM pg_authid WHERE rolname = ANY ($1) ORDER BY 1',
    [[...scenario.policy.logins, bystander, scenario.connection.user]],
  );
  return rows;
}

/** A rotation whose process went away after a step. */
async function stoppedAfter(step: 'check' | 'stage' | 'set' | 'verify'): Promise<Rotation> {
  const rotation = await scenario.request();
  const next = { check: 'stage', stage: 'set', set: 'verify', verify: 'publish' } as const;
  const dying = scenario.with({ ledger: dyingWith(scenario.ledger, next[step], 'started') });
  await expect(dying.run(rotation)).rejects.toThrow();
  return rotation;
}

/** A rotation that drains. */
async function draining() {
  const session = await scenario.logIn(await scenario.published());
  const rotation = await scenario.request();
  expect(await scenario.run(rotation)).toMatchObject({ status: 'waiting' });
  return { rotation, session };
}

/** The fault of a rotation that was forged to change other logins than the policy's. */
function foreign(
  { id }: Rotation,
  incoming: unknown,
  outgoing: unknown,
  { name, logins }: Scenario['policy'] = scenario.policy,
) {
  const params = { rotation: id, incoming, outgoing, policy: name, logins };
  return { code: 'ledger-names-other-logins', params };
}

describe('A row of the ledger that names logins which are not the policy’s', () => {
  test.each(['check', 'stage', 'set', 'verify'] as const)(
    'after %s alters none of them (attack on whom to alter, G1)',
    async (step) => {
      const rotation = await stoppedAfter(step);
      const published = await scenario.published();
      await forge(rotation, 'incoming = $2, outgoing = $3', [bystander, scenario.connection.user]);
      const before = await roles();
      expect(await scenario.finish(rotation)).toMatchObject({
        status: 'failed',
        error: { fact: foreign(rotation, bystander, scenario.connection.user) },
      });
      expect(await roles()).toEqual(before);
      expect(await scenario.published()).toEqual(published);
      // It stands in nobody's way.
      expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
    },
  );

  test.each(['both', 'the incoming', 'the outgoing', 'neither, but the same twice'] as const)(
    'while it drains, %s, revokes none of them and cuts nobody (attack on whom to alter, G1, G2)',
    async (which) => {
      const { rotation, session } = await draining();
      const row = await scenario.ledger.find(rotation.id);
      const [incoming, outgoing] = {
        both: [bystander, scenario.connection.user],
        'the incoming': [bystander, row?.outgoing],
        'the outgoing': [row?.incoming, bystander],
        'neither, but the same twice': [row?.incoming, row?.incoming],
      }[which];
      await forge(rotation, 'incoming = $2, outgoing = $3', [incoming, outgoing]);
      await session[Symbol.asyncDispose]();
      const before = await roles();
      const fact = foreign(rotation, incoming, outgoing);
      expect(await scenario.run(rotation)).toMatchObject({ status: 'retrying', error: { fact } });
      await using context = scenario.context((await scenario.ledger.find(rotation.id)) ?? rotation);
      await expect(rollBack(context, { requestedBy: 'margaret' })).rejects.toMatchObject({ fact });
      await expect(cancel(context, { requestedBy: 'margaret' })).rejects.toMatchObject({
        fact: {
          code: 'cancel-after-publish',
          params: { rotation: rotation.id, destination: 'files (primary)', endsByItself: null },
        },
      });
      expect(await roles()).toEqual(before);
      // An emergency ends it, and the next rotation begins from what is published.
      await scenario.ledger.escalate(rotation.id, { requestedBy: 'test' });
      expect(await scenario.finish(rotation)).toMatchObject({ status: 'failed' });
      expect(await roles()).toEqual(before);
      expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
    },
  );

  test('and that is cancelled, alters none of them (attack on whom to alter, G1)', async () => {
    const rotation = await stoppedAfter('set');
    await forge(rotation, 'incoming = $2, outgoing = $3', [bystander, scenario.connection.user]);
    const before = await roles();
    await using context = scenario.context((await scenario.ledger.find(rotation.id)) ?? rotation);
    expect(await cancel(context, { requestedBy: 'margaret' })).toMatchObject({ status: 'failed' });
    expect(await roles()).toEqual(before);
  });
});

describe('A row of the ledger whose logins have changed places', () => {
  test('does not have the published login revoked (attack on whom to alter, G1)', async () => {
    const { rotation, session } = await draining();
    const { username: login } = await scenario.published();
    const incoming = scenario.policy.logins.find((other) => other !== login);
    await forge(rotation, 'incoming = outgoing, outgoing = incoming');
    await session[Symbol.asyncDispose]();
    const before = await roles();
    expect(await scenario.run(rotation)).toMatchObject({
      status: 'retrying',
      error: {
        fact: {
          code: 'staged-version-of-another-login',
          params: {
            destination: 'files (primary)',
            version: rotation.id,
            login,
            rotation: rotation.id,
            incoming,
          },
        },
      },
    });
    expect(await roles()).toEqual(before);
    await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
  });

  test('does not have the published login given another password (attack on whom to alter, G1)', async () => {
    const rotation = await stoppedAfter('stage');
    await forge(rotation, 'incoming = outgoing, outgoing = incoming');
    const before = await roles();
    expect(await scenario.finish(rotation)).toMatchObject({ status: 'failed' });
    expect(await roles()).toEqual(before);
  });
});

describe('A row of the ledger that says to go back', () => {
  test('to a version that is nobody’s, changes nothing and ends (attack on whom to alter, G1)', async () => {
    const { rotation, session } = await draining();
    const published = await scenario.published();
    await forge(rotation, "rolled_back_by = 'mallory', rolled_back_to = $2", [randomUUID()]);
    await session[Symbol.asyncDispose]();
    const before = await roles();
    expect(await scenario.finish(rotation)).toMatchObject({ status: 'failed' });
    expect(await scenario.published()).toEqual(published);
    expect(await roles()).toEqual(before);
  });

  test('to its own version, does not revoke what it publishes (attack on whom to alter, G1)', async () => {
    const { rotation, session } = await draining();
    const published = await scenario.published();
    await forge(rotation, "rolled_back_by = 'mallory', rolled_back_to = id");
    await session[Symbol.asyncDispose]();
    const before = await roles();
    expect(await scenario.finish(rotation)).toMatchObject({ status: 'failed' });
    expect(await scenario.published()).toEqual(published);
    expect(await roles()).toEqual(before);
    await (await scenario.logIn(published))[Symbol.asyncDispose]();
  });
});

test('a job that names the rotation of another policy, or one that is over, is that rotation’s or nothing (attack on whom to alter)', async () => {
  const closed = await scenario.ledger.latest({ policy: scenario.policy.name, limit: 1 });
  const opened: string[] = [];
  const job = rotateJob({
    ledger: scenario.ledger,
    log: pino({ level: 'silent' }),
    isConfigured: (name) => name === scenario.policy.name,
    isEdited: () => false,
    refresh: async () => true,
    place: { host: 'ops-1', config: 'config' },
    openRun: async (rotation) => {
      opened.push(rotation.policy);
      return scenario.context(rotation);
    },
    onSettled: async () => {},
  });
  const delayed: unknown[] = [];
  const carry = (data: { rotation?: string; policy?: string }) =>
    job(
      { data, moveToDelayed: async (until: number) => void delayed.push(until) } as unknown as Parameters<
        typeof job
      >[0],
      'token',
    ).catch((error: Error) => error.name);
  const before = await roles();
  await carry({ rotation: String(closed[0]?.id), policy: scenario.policy.name });
  await carry({ rotation: randomUUID(), policy: scenario.policy.name });
  await carry({ rotation: "' OR true --", policy: scenario.policy.name });
  await carry({ policy: 'constructor' });
  expect(opened).toEqual([]);
  // Of another policy, which is not configured here: it waits, whatever the job says of its policy.
  const id = randomUUID();
  await scenario.ledger.request({ id, policy: 'another', reason: 'manual', requestedBy: 'test' });
  expect(await carry({ rotation: id, policy: scenario.policy.name })).toBe('DelayedError');
  expect(opened).toEqual([]);
  expect(delayed).toHaveLength(1);
  expect(await roles()).toEqual(before);
  await scenario.ledger.finish({ id, rolledBackBy: null }, 'failed');
});

test('a row that is moved to another policy takes no login of that one (attack on whom to alter, G1)', async () => {
  const { rotation, session } = await draining();
  await session[Symbol.asyncDispose]();
  const { incoming, outgoing } = (await scenario.ledger.find(rotation.id)) ?? {};
  const other = await openScenario(inject('postgres'));
  await using moved = other.with({ ledger: scenario.ledger, destinations: scenario.destinations });
  await forge(rotation, 'policy = $2', [moved.policy.name]);
  const before = await roles();
  expect(await moved.run(rotation)).toMatchObject({
    error: { fact: foreign(rotation, incoming, outgoing, moved.policy) },
  });
  expect(await roles()).toEqual(before);
});

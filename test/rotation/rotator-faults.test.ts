import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { fault } from '../../src/facts/fault.ts';
import { tellError } from '../../src/messages/tell.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import { readIdentity } from '../../src/postgres/connection/identity.ts';
import { cancel } from '../../src/rotation/cancel.ts';
import { withRotatorPassword } from '../../src/rotation/context/with-rotator-password.ts';
import { plan } from '../../src/rotation/plan.ts';
import { rollBack } from '../../src/rotation/roll-back.ts';
import { rotate } from '../../src/rotation/rotate.ts';
import { policyStatus } from '../../src/rotation/status.ts';
import { dyingWith, GONE } from '../support/dying-with.ts';
import { expectRefusal, requestAdoption, stageOutside } from '../support/outside.ts';
import {
  CONFIGURED,
  expectKept,
  openRotatorScenario,
  type RotatorScenario,
} from '../support/rotator-scenario.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { telling } from '../support/telling.ts';

let world: RotatorScenario;
let own: Scenario;
beforeEach(async () => {
  world = await openRotatorScenario(inject('postgres'));
  own = world.fresh();
});
afterEach(() => world[Symbol.asyncDispose]());

const DONE = { status: 'done' };
const rotated = async (scenario: Scenario) => scenario.finish(await scenario.request());
/** A rotation whose process went away once the password was set. */
async function stoppedAfterSet() {
  const rotation = await own.request();
  const dying = own.with({ ledger: dyingWith(own.ledger, 'set', 'done') });
  await expect(dying.finish(rotation)).rejects.toThrow(GONE);
  return rotation;
}

describe('a failure', () => {
  test('before set ends the rotation and changes nothing (G5)', async () => {
    expect(await rotated(own)).toEqual(DONE);
    const before = await own.published();
    const denied = world.fresh({ policy: { verify: ['SELECT FROM no_such_table'] } });
    const message = await expectRefusal(denied, await denied.request());
    expect(message).toMatch(/^The verify statement "SELECT FROM no_such_table" failed as/);
    expect(await own.published()).toEqual(before);
  });

  test('of the store before set takes back what was staged (G5)', async () => {
    expect(await rotated(own)).toEqual(DONE);
    const before = await own.published();
    const half = world.fresh({
      store: (store) => ({
        async stage(mapping, token, fields, options) {
          await store.stage(mapping, token, fields, options);
          throw fault('store-denied', {
            store: 'files',
            secret: 'app/password',
            action: 'UpdateSecretVersionStage',
            detail: 'AccessDeniedException',
          });
        },
      }),
    });
    expect(await rotated(half)).toMatchObject({ status: 'failed', error: { step: 'stage' } });
    const [{ store, secrets }] = own.destinations;
    expect(await store.read(secrets, 'pending')).toBeUndefined();
    expect(await world.fresh().published()).toEqual(before);
    expect(await rotated(world.fresh())).toEqual(DONE);
  });

  test('after set is retried until it is published, however long, and keyturn gets in all the while (G5)', async () => {
    expect(await rotated(own)).toEqual(DONE);
    const before = await own.published();
    const away = world.fresh({
      policy: { retryFor: 0 },
      store: () => ({
        promote: () =>
          Promise.reject(
            fault('folder-unusable', { store: 'files', errno: 'EIO', detail: 'the store is away' }),
          ),
      }),
    });
    const rotation = await away.request();
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect(await away.run(rotation)).toMatchObject({ status: 'retrying', error: { step: 'publish' } });
      expect(await own.published()).toEqual(before);
      const logins = world.freshLogins();
      expect(await rotated(logins)).toEqual(DONE);
    }
    expect(await world.fresh().finish(rotation)).toEqual(DONE);
    expect(world.staged.size).toBe(2);
  });

  test('of verify is after set, too: nothing is taken back until it passes (G5)', async () => {
    const rotation = await stoppedAfterSet();
    const denied = world.fresh({ policy: { retryFor: 0, verify: ['SELECT FROM no_such_table'] } });
    expect(await denied.run(rotation)).toMatchObject({ status: 'retrying', error: { step: 'verify' } });
    expect(await rotated(world.freshLogins())).toEqual(DONE);
    expect(await world.fresh().finish(rotation)).toEqual(DONE);
    expect(world.staged.size).toBe(1);
  });
});

describe('a rotator that is shut out between set and publish, which says nothing of its password,', () => {
  test.each([
    ['NOLOGIN', 'LOGIN', /is not permitted to log in/],
    ["VALID UNTIL '2020-01-01'", "VALID UNTIL 'infinity'", /VALID UNTIL|password authentication failed/],
  ])('by %s keeps what is staged, and ends well once it is let in again (G4, G5)', async (bar, lift, why) => {
    expect(await rotated(own)).toEqual(DONE);
    const barred = world.fresh({ policy: { retryFor: 0 } });
    const rotation = await barred.request();
    const alter = (attribute: string) => own.admin.query(`ALTER ROLE ${world.rotator} ${attribute}`);
    await expectKept(barred, rotation, {
      bar: () => alter(bar),
      lift: () => alter(lift),
      why,
    });
    expect(world.staged.size).toBe(2);
  });
});

test('a first destination that is another between set and publish costs no password, and it is said to put it back', async () => {
  expect(await rotated(own)).toEqual(DONE);
  const rotation = await stoppedAfterSet();
  const [primary] = own.destinations;
  const moved = {
    ...primary,
    name: 'moved (primary)',
    secrets: { username: { secret: 'moved/username' }, password: { secret: 'moved/password' } },
  };
  const edited = own.with({
    policy: { ...own.policy, retryFor: 0 },
    destinations: [moved, primary],
    connection: withRotatorPassword({ ...own.connection, password: CONFIGURED }, own.policy.name, moved),
  });
  expect(await edited.run(rotation)).toMatchObject({
    status: 'retrying',
    error: {
      fact: telling(
        /password authentication failed .*\. moved \(primary\) has no other of policy .*; if another destination was the first of the policy until now, put that back$/,
        { code: 'rotator-password-unknown' },
      ),
    },
  });
  expect(await world.fresh().finish(rotation)).toEqual(DONE);
  expect(world.staged.size).toBe(2);
});

test('a connection that has another user between set and publish costs no password, and it is said to put that back', async () => {
  expect(await rotated(own)).toEqual(DONE);
  const rotation = await stoppedAfterSet();
  const other = inject('postgres');
  const edited = own.with({
    policy: { ...own.policy, logins: [other.user, other.user], retryFor: 0 },
    connection: { ...other, name: 'target', database: own.connection.database, tls: { mode: 'disable' } },
  });
  const told = `Rotation ${rotation.id} may have given ${world.rotator} a new password, and connection target logs in as ${other.user} by now; give it the user ${world.rotator} back until that is done`;
  expect(await edited.run(rotation)).toMatchObject({ status: 'retrying', error: { fact: telling(told) } });
  await using context = edited.context((await own.ledger.find(rotation.id)) ?? rotation);
  await expect(cancel(context, 'somebody')).rejects.toMatchObject({ fact: telling(told) });
  expect(await world.fresh().finish(rotation)).toEqual(DONE);
  expect(world.staged.size).toBe(2);
});

describe('cancel', () => {
  test('ends a rotation whose password is staged and not set, and takes that back', async () => {
    const rotation = await own.request();
    const dying = own.with({ ledger: dyingWith(own.ledger, 'set', 'started') });
    await expect(dying.finish(rotation)).rejects.toThrow(GONE);
    await using context = world.fresh().context(rotation);
    expect(await cancel(context, 'somebody')).toMatchObject({ status: 'failed' });
    const [{ store, secrets }] = own.destinations;
    expect(await store.read(secrets, 'pending')).toBeUndefined();
    await using _session = await own.logIn({ username: world.rotator, password: CONFIGURED });
    // A worker that still has the job alters nothing any more.
    await using late = own.context(rotation);
    expect(await rotate(late)).toMatchObject({
      fact: { code: 'rotation-superseded', params: { rotation: rotation.id } },
    });
    await using _again = await own.logIn({ username: world.rotator, password: CONFIGURED });
  });

  test('is refused from set on, as is rollback, and the rotation goes on', async () => {
    const rotation = await stoppedAfterSet();
    await using context = world.fresh().context(rotation);
    await expect(cancel(context, 'somebody')).rejects.toMatchObject({
      fact: telling(
        `Rotation ${rotation.id} has given ${world.rotator} its new password already, and the old one is refused; it can only go on`,
      ),
    });
    await expect(rollBack(context, 'somebody')).rejects.toMatchObject({
      fact: telling('there is no way back'),
    });
    expect(await world.fresh().finish(rotation)).toEqual(DONE);
  });
});

describe('the rotator is let in', () => {
  test('without asking the store again once its password is known', async () => {
    expect(await rotated(own)).toEqual(DONE);
    let reads = 0;
    const counting = world.fresh({
      store: (store) => ({
        read(mapping, stage) {
          reads += 1;
          return store.read(mapping, stage);
        },
      }),
    });
    const { username: user, password } = await own.published();
    for (let time = 0; time < 2; time += 1) {
      const tried: string[] = [];
      await counting.connection.withPassword?.(counting.connection, async (each) => {
        tried.push(each);
        await (await own.logIn({ username: user, password: each }))[Symbol.asyncDispose]();
      });
      expect(tried).toEqual([password]);
      expect(reads).toBe(1);
    }
  });

  test('in a process that has the password of before the rotation, or of before two', async () => {
    const knowing = world.freshLogins();
    expect(await rotated(knowing)).toEqual(DONE);
    expect(await rotated(own)).toEqual(DONE);
    expect(await rotated(own)).toEqual(DONE);
    expect(await rotated(knowing)).toEqual(DONE);
  });

  test('even where the password becomes current between two looks at the store', async () => {
    expect(await rotated(own)).toEqual(DONE);
    const rotation = await stoppedAfterSet();
    let isFirst = true;
    const slow = world.fresh({
      store: (store) => ({
        async read(mapping, stage) {
          if (stage === 'pending' && isFirst) {
            isFirst = false;
            expect(await world.fresh().finish(rotation)).toEqual(DONE);
          }
          return store.read(mapping, stage);
        },
      }),
    });
    await using context = slow.context(rotation);
    await context.rotator();
    expect(isFirst).toBe(false);
  });

  test('with no other password where the server does not answer', async () => {
    expect(await rotated(own)).toEqual(DONE);
    const tried: string[] = [];
    const away = fault('server-unreachable', { place: 'nowhere', detail: 'no route' });
    const { connection } = world.fresh();
    const trying = connection.withPassword?.(connection, async (password) => {
      tried.push(password);
      throw away;
    });
    await expect(trying).rejects.toBe(away);
    expect(tried).toEqual([(await own.published()).password]);
  });

  test('and where nothing is right any more it is said what mends it, and no password (G3)', async () => {
    expect(await rotated(own)).toEqual(DONE);
    const { password } = await own.published();
    await world.setPassword('of-somebody-else');
    const outcome = await rotated(world.fresh());
    expect(outcome).toMatchObject({ status: 'failed', error: { step: 'check' } });
    const message = tellError((outcome as { error: Error }).error);
    expect(message).toMatch(
      /PostgreSQL refuses what files \(primary\) has of policy .*-rotator, current, pending and previous, and the password that connection target configures; .*; else set a password by hand \(ALTER ROLE … PASSWORD '…'\), and configure it there; run: ALTER ROLE "rotator_.*" VALID UNTIL 'infinity'$/,
    );
    for (const secret of [password, CONFIGURED]) expect(message).not.toContain(secret);
    // As it says.
    await world.setPassword(CONFIGURED);
    const mended = world.fresh();
    const rotation = await mended.request();
    expect(await mended.finish(rotation)).toEqual(DONE);
    expect((await mended.published()).password).not.toBe(password);
  });
});

test('what the ledger did not stage and is the password all the same is never discarded, not even to adopt it', async () => {
  await stageOutside(own, { username: world.rotator, password: CONFIGURED });
  expect(await expectRefusal(own, await own.request())).toMatch(
    /has a pending version .* that this ledger does not know/,
  );
  const outcome = await own.finish(await requestAdoption(own));
  expect(outcome).toMatchObject({ status: 'failed', error: { step: 'check' } });
  expect(tellError((outcome as { error: Error }).error)).toMatch(
    /is the password of rotator_.* now, and would be lost; make that version current there, then rotate again$/,
  );
  const [{ store, secrets }] = own.destinations;
  expect((await store.read(secrets, 'pending'))?.fields.password).toBe(CONFIGURED);
});

test('a secret of another login is not replaced unasked', async () => {
  const token = await stageOutside(own, { username: 'somebody', password: 'secret' });
  const [{ store, secrets }] = own.destinations;
  await store.promote(secrets, token);
  expect(await expectRefusal(own, await own.request())).toMatch(
    /^The published username is "somebody", which is not the rotator rotator_.*; correct the secret, or the policy's connection; or take it over, which replaces it; run: keyturn rotate .*-rotator --adopt$/,
  );
  expect(await own.finish(await requestAdoption(own))).toEqual(DONE);
});

test('a rotator whose sessions are set to act as another role acts as itself all the same', async () => {
  await using other = await openScenario(inject('postgres'));
  const [role] = other.policy.logins;
  await own.admin.query(`GRANT ${role} TO ${world.rotator}`);
  await own.admin.query(`ALTER ROLE ${world.rotator} SET role = ${role}`);
  expect(await rotated(own)).toEqual(DONE);
  await own.admin.query(`ALTER ROLE ${world.rotator} RESET role`);
});

test('a rotator that keeps the ledger too is refused, however its host is spelled, and the remedy is one', async () => {
  const asRotator = { ...own.connection, host: 'localhost', user: world.rotator, password: CONFIGURED };
  const kept = (by: typeof asRotator): Scenario =>
    own.with({
      ledger: {
        ...own.ledger,
        async identity() {
          await using session = await connect(by);
          return await readIdentity(session.client);
        },
      },
    });
  const message = await expectRefusal(kept(asRotator), await own.request());
  const [, remedy = ''] =
    /the rotator is the login of state.database too, .*log in as another: (CREATE ROLE .*)$/.exec(message) ??
    [];
  const state = `${world.rotator}_state`;
  await own.admin.query(remedy.replace('keyturn_state', state).replace('…', CONFIGURED));
  try {
    expect(await rotated(kept({ ...asRotator, user: state }))).toEqual(DONE);
  } finally {
    await own.admin.query(`DROP ROLE ${state}`);
  }
});

test('plan has its five steps and warns of an expiry that is near, and status has its one login', async () => {
  const until = new Date(Date.now() + 24 * 60 * 60_000).toISOString();
  await own.admin.query(`ALTER ROLE ${world.rotator} VALID UNTIL '${until}'`);
  const rotation = await own.request();
  await using context = own.context(rotation);
  expect(await plan(context)).toMatchObject([
    {
      step: 'check',
      state: 'next',
      fact: { code: 'plan-check-rotator', params: { login: world.rotator } },
      warnings: [
        telling(/^nobody can log in as \S+ after its VALID UNTIL, .* VALID UNTIL 'infinity'$/),
        { code: 'configured-password-obsolete', params: { connection: 'target' } },
      ],
    },
    { step: 'stage', state: 'then' },
    { step: 'set', state: 'then' },
    { step: 'verify', state: 'then' },
    { step: 'publish', state: 'then' },
  ]);
  expect(await own.finish(rotation)).toEqual(DONE);
  await using after = own.context(rotation);
  const { ledger, policy } = own;
  const history = (await ledger.summary([policy.name])).get(policy.name);
  const timing = await ledger.timing(policy.name);
  expect(await policyStatus(policy, history, { timing, context: after })).toMatchObject({
    state: 'active',
    active: world.rotator,
    standby: null,
    sessions: { [world.rotator]: expect.any(Number) },
    faults: [],
  });
});

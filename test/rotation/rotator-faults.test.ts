import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { factOf, fault } from '../../src/facts/fault.ts';
import { command, sql } from '../../src/facts/remedy.ts';
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
import { adoptionNeeded, checkRefused } from '../support/expected-facts.ts';
import { expectRefusal, requestAdoption, stageOutside } from '../support/outside.ts';
import {
  CONFIGURED,
  expectKept,
  openRotatorScenario,
  type RotatorScenario,
} from '../support/rotator-scenario.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

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
    expect(await expectRefusal(denied, await denied.request())).toMatchObject({
      code: 'verify-statement-failed',
      params: { statement: 'SELECT FROM no_such_table' },
    });
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
    ['NOLOGIN', 'LOGIN', { code: 'login-refused', params: { because: 'nologin' } }],
    [
      "VALID UNTIL '2020-01-01'",
      "VALID UNTIL 'infinity'",
      { code: expect.stringMatching(/^(password-refused|rotator-passwords-refused)$/) },
    ],
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
      fact: {
        code: 'rotator-password-unknown',
        params: {
          policy: own.policy.name,
          destination: 'moved (primary)',
          cause: { code: 'login-refused', params: { because: 'password' } },
        },
      },
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
  const changed = fact('rotator-changed-since-set', {
    rotation: rotation.id,
    login: world.rotator,
    connection: 'target',
    rotator: other.user,
  });
  expect(await edited.run(rotation)).toMatchObject({ status: 'retrying', error: { fact: changed } });
  await using context = edited.context((await own.ledger.find(rotation.id)) ?? rotation);
  await expect(cancel(context, { requestedBy: 'somebody' })).rejects.toMatchObject({ fact: changed });
  expect(await world.fresh().finish(rotation)).toEqual(DONE);
  expect(world.staged.size).toBe(2);
});

describe('cancel', () => {
  test('ends a rotation whose password is staged and not set, and takes that back', async () => {
    const rotation = await own.request();
    const dying = own.with({ ledger: dyingWith(own.ledger, 'set', 'started') });
    await expect(dying.finish(rotation)).rejects.toThrow(GONE);
    await using context = world.fresh().context(rotation);
    expect(await cancel(context, { requestedBy: 'somebody' })).toMatchObject({ status: 'failed' });
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
    await expect(cancel(context, { requestedBy: 'somebody' })).rejects.toMatchObject({
      fact: fact(
        'cancel-after-set',
        { rotation: rotation.id, login: world.rotator },
        command('status', own.policy.name),
      ),
    });
    await expect(rollBack(context, { requestedBy: 'somebody' })).rejects.toMatchObject({
      fact: fact('rollback-of-rotator', { policy: own.policy.name }, command('rotate', own.policy.name)),
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
    expect(outcome).toMatchObject({
      status: 'failed',
      error: {
        step: 'check',
        fact: {
          code: 'rotator-passwords-refused',
          params: {
            server: expect.stringContaining(`${world.rotator}@`),
            policy: own.policy.name,
            destination: 'files (primary)',
            connection: 'target',
          },
          remedies: [sql(`ALTER ROLE "${world.rotator}" VALID UNTIL 'infinity'`)],
        },
      },
    });
    const { error } = outcome as { error: Error };
    const told = tellError(error) + JSON.stringify(factOf(error).params);
    for (const secret of [password, CONFIGURED]) expect(told).not.toContain(secret);
    // As it says.
    await world.setPassword(CONFIGURED);
    const mended = world.fresh();
    const rotation = await mended.request();
    expect(await mended.finish(rotation)).toEqual(DONE);
    expect((await mended.published()).password).not.toBe(password);
  });
});

test('what the ledger did not stage and is the password all the same is never discarded, not even to adopt it', async () => {
  const version = await stageOutside(own, { username: world.rotator, password: CONFIGURED });
  const destination = 'files (primary)';
  expect(await expectRefusal(own, await own.request())).toMatchObject(
    adoptionNeeded(own.policy.name, {
      found: { code: 'pending-version-unknown', params: { destination, tokens: [version] } },
      effect: { code: 'effect-discards-pending' },
    }),
  );
  expect(await own.finish(await requestAdoption(own))).toMatchObject({
    status: 'failed',
    error: {
      step: 'check',
      fact: { code: 'pending-password-in-use', params: { destination, version, login: world.rotator } },
    },
  });
  const [{ store, secrets }] = own.destinations;
  expect((await store.read(secrets, 'pending'))?.fields.password).toBe(CONFIGURED);
});

test('a secret of another login is not replaced unasked', async () => {
  const token = await stageOutside(own, { username: 'somebody', password: 'secret' });
  const [{ store, secrets }] = own.destinations;
  await store.promote(secrets, token);
  expect(await expectRefusal(own, await own.request())).toMatchObject(
    adoptionNeeded(own.policy.name, {
      found: {
        code: 'published-username-not-rotator',
        params: { username: 'somebody', rotator: world.rotator },
      },
      effect: { code: 'effect-replaces' },
    }),
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
  const statement = `CREATE ROLE keyturn_state LOGIN PASSWORD '…' IN ROLE "${world.rotator}"`;
  expect(await expectRefusal(kept(asRotator), await own.request())).toMatchObject(
    checkRefused({
      code: 'rotator-is-state-login',
      params: { server: expect.stringContaining(`${world.rotator}@`), statement },
    }),
  );
  const state = `${world.rotator}_state`;
  await own.admin.query(statement.replace('keyturn_state', state).replace('…', CONFIGURED));
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
        {
          code: 'login-expires-soon',
          params: { login: world.rotator, validUntil: until, days: 30 },
          remedies: [sql(`ALTER ROLE "${world.rotator}" VALID UNTIL 'infinity'`)],
        },
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

import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { withPolicyLock } from '../../src/postgres/locks/policy-lock.ts';
import { adminOf } from '../support/admin.ts';
import { type BarePolicy, openBarePolicy, whatIn } from '../support/bare-policy.ts';
import { canLogIn } from '../support/draining.ts';
import { publishOutside } from '../support/outside.ts';
import { MAPPING } from '../support/scenario.ts';

// One policy for all: each test breaks what is published, and leaves it whole.
let bare: BarePolicy;
let published: { username: string; password: string };

async function rotate(): Promise<void> {
  expect(await bare.scenario.finish(await bare.scenario.request())).toEqual({ status: 'done' });
  published = await bare.scenario.published();
}

async function expectWhole(): Promise<void> {
  expect(await bare.scenario.published()).toEqual(published);
  await (await bare.scenario.logIn(published))[Symbol.asyncDispose]();
  expect(await bare.planRestore()).toMatchObject({ refused: undefined, changes: [] });
}

const server = inject('postgres');
beforeAll(async () => {
  bare = await openBarePolicy(server);
  await bare.create();
  await bare.admin.query('CREATE TABLE orders (id int)');
});
afterAll(() => bare?.[Symbol.asyncDispose]());
beforeEach(rotate);

const alter = (clauses: string) => (login: string) => `ALTER ROLE ${login} ${clauses}`;

describe('what is published works again after', () => {
  test.each([
    ['another password', alter("PASSWORD 'another'"), ['restore-sets-password']],
    ['no password', alter('PASSWORD NULL'), ['restore-sets-password']],
    ['NOLOGIN', alter('NOLOGIN'), ['enable-login', 'restore-sets-password']],
    ['VALID UNTIL', alter("VALID UNTIL '2020-01-01'"), ['remove-past-expiry', 'restore-sets-password']],
    ['CONNECTION LIMIT 0', alter('CONNECTION LIMIT 0'), ['remove-connection-limit', 'restore-sets-password']],
  ])('%s (G7)', async (_name, broken, expected) => {
    const { username, password } = published;
    await bare.admin.query(broken(quoteIdentifier(username)));
    const plan = await bare.planRestore();
    expect(plan.refused).toBeDefined();
    expect(whatIn(plan.changes).map(({ code }) => code)).toEqual(expected);
    expect(JSON.stringify(plan.changes)).not.toContain(password);
    await bare.restore();
    await expectWhole();
    const latest = await bare.scenario.ledger.provisions.latest();
    expect(latest.get(bare.scenario.policy.name)).toMatchObject({ kind: 'restore', requestedBy: 'test' });
  });

  test('DROP ROLE: it is made again, with the level that the ledger has (G7)', async () => {
    const { username } = published;
    const name = quoteIdentifier(username);
    await bare.admin.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
    const codes = whatIn((await bare.planRestore()).changes).map(({ code }) => code);
    expect(codes).toContain('create-role');
    await bare.restore();
    await expectWhole();
    const { client, ...session } = await bare.scenario.logIn(published);
    expect((await client.query('SELECT current_user AS name')).rows).toEqual([{ name: bare.owner }]);
    await session[Symbol.asyncDispose]();
  });

  test('REVOKE CONNECT (G7)', async () => {
    const { database } = bare.scenario.connection;
    const [a, b] = bare.scenario.policy.logins;
    await bare.admin.query(
      `REVOKE CONNECT ON DATABASE ${quoteIdentifier(database)} FROM PUBLIC, ${a}, ${b}, ${bare.owner}`,
    );
    await bare.admin.query(
      `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${bare.rotator} WITH GRANT OPTION`,
    );
    expect(whatIn((await bare.planRestore()).changes).map(({ code }) => code)).toContain('grant-connect');
    await bare.restore();
    await expectWhole();
    await bare.admin.query(`GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO PUBLIC`);
  });
});

test('the SQL for an administrator does the same', async () => {
  await bare.admin.query(`ALTER ROLE ${quoteIdentifier(published.username)} NOLOGIN PASSWORD 'another'`);
  for (const { sql } of (await bare.planRestore('administrator')).changes) await bare.admin.query(sql);
  await expectWhole();
});

describe('nothing is restored', () => {
  test('while a rotation is open: it does that itself', async () => {
    await bare.admin.query(`ALTER ROLE ${quoteIdentifier(published.username)} PASSWORD 'another'`);
    const rotation = await bare.scenario.request();
    await expect(bare.restore()).rejects.toMatchObject({
      fact: { code: 'restore-during-rotation', params: { rotation: rotation.id } },
    });
    await bare.scenario.ledger.finish(rotation, 'failed');
    await bare.restore();
    await expectWhole();
  });

  test('while a session of another worker changes the logins', async () => {
    await bare.admin.query(`ALTER ROLE ${quoteIdentifier(published.username)} PASSWORD 'another'`);
    await using admin = await adminOf(server, bare.scenario.connection.database);
    await withPolicyLock(admin.client, bare.scenario.policy.logins, () =>
      expect(bare.restore()).rejects.toMatchObject({ fact: { code: 'roles-locked' } }),
    );
    await bare.restore();
    await expectWhole();
  });

  test('from a version that somebody else wrote', async () => {
    const { username } = published;
    await publishOutside(bare.scenario, { username, password: 'chosen-by-somebody' });
    await expect(bare.restore()).rejects.toMatchObject({ fact: { code: 'restore-altered-version' } });
    expect(await canLogIn(bare.scenario, username)).toBe(true);
    const adopting = await bare.scenario.ledger.request({
      ...{ id: '77777777-7777-4777-8777-777777777777', policy: bare.scenario.policy.name },
      ...{ reason: 'manual', requestedBy: 'test', adopt: true },
    });
    expect(adopting && (await bare.scenario.finish(adopting))).toEqual({ status: 'done' });
  });

  test('from an older version that is current again: its password may be known', async () => {
    const [{ store }] = bare.scenario.destinations;
    const before = await store.read(MAPPING, 'current');
    await rotate();
    const now = await store.read(MAPPING, 'current');
    await store.promote(MAPPING, String(before?.token), { back: true });
    await expect(bare.restore()).rejects.toMatchObject({
      fact: { code: 'restore-older-version', params: { rotation: before?.token } },
    });
    await store.promote(MAPPING, String(now?.token), { back: true });
    await expectWhole();
  });

  test('from a username that is no login of the policy', async () => {
    await publishOutside(bare.scenario, { username: bare.rotator, password: 'rotator-password' });
    await expect(bare.restore()).rejects.toMatchObject({
      fact: { code: 'restore-foreign-username', params: { username: bare.rotator } },
    });
    const adopting = await bare.scenario.ledger.request({
      ...{ id: '88888888-8888-4888-8888-888888888888', policy: bare.scenario.policy.name },
      ...{ reason: 'manual', requestedBy: 'test', adopt: true },
    });
    expect(adopting && (await bare.scenario.finish(adopting))).toEqual({ status: 'done' });
  });
});

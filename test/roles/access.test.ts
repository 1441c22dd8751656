import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Provision } from '../../src/ledger/provisions.ts';
import { type BarePolicy, openBarePolicy } from '../support/bare-policy.ts';
import { uniqueName } from '../support/unique-name.ts';

const migrator = uniqueName('migrator');
let bare: BarePolicy;
beforeAll(async () => {
  bare = await openBarePolicy(inject('postgres'), { creators: [migrator] });
  const { admin, rotator } = bare;
  await admin.query(`CREATE ROLE ${migrator}; GRANT CREATE, USAGE ON SCHEMA public TO ${migrator};
    GRANT ${migrator} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
  await admin.query(`SET ROLE ${migrator}; CREATE TABLE orders (id int); RESET ROLE`);
  await bare.create({ access: 'read' });
});
afterAll(async () => {
  await bare.admin.query(`DROP OWNED BY ${migrator}; DROP ROLE ${migrator}`);
  await bare[Symbol.asyncDispose]();
});

const told = (changes: readonly { readonly what: string }[]) => changes.map(({ what }) => what);

test('create adds what is missing and takes nothing away unasked: that is named, and repair or a level takes it', async () => {
  const { admin, owner } = bare;
  const { name } = bare.scenario.policy;
  for (const take of [bare.repair, () => bare.create({ access: 'read' })]) {
    await admin.query(`GRANT DELETE ON orders TO ${owner}; REVOKE SELECT ON orders FROM ${owner}`);
    const { changes, warnings } = await bare.create();
    expect(told(changes)).toEqual([`grants SELECT on table public.orders to ${owner}`]);
    expect(warnings).toEqual([
      `${owner} has DELETE on table public.orders, beyond the level read of ${name}; to revoke that, run: keyturn roles repair ${name}`,
    ]);
    expect(told((await take()).changes)).toEqual([`revokes DELETE on table public.orders from ${owner}`]);
    expect(await bare.create()).toMatchObject({ changes: [], warnings: [] });
  }
});

test('with an owner the logins themselves keep nothing beyond the level that they had before: tables, columns, schema and what will be', async () => {
  const { admin, scenario, rotator } = bare;
  const [a, b] = scenario.policy.logins;
  await admin.query(`GRANT SELECT, DELETE ON orders TO ${a}; GRANT UPDATE (id) ON orders TO ${b};
    SET ROLE ${rotator}; GRANT CREATE ON SCHEMA public TO ${b}; RESET ROLE;
    ALTER DEFAULT PRIVILEGES FOR ROLE ${migrator} IN SCHEMA public GRANT SELECT, DELETE ON TABLES TO ${a}`);
  expect((await bare.create()).warnings).toHaveLength(4);
  expect(told((await bare.create({ access: 'read' })).changes)).toEqual([
    `revokes DELETE on table public.orders from ${a}`,
    `revokes DELETE on future tables of ${migrator} in schema public from ${a}`,
    `revokes CREATE on schema public from ${b}`,
    `revokes UPDATE on table public.orders from ${b}`,
  ]);
  await using session = await bare.as(a);
  await session.query('SELECT * FROM orders');
  await expect(session.query('DELETE FROM orders')).rejects.toMatchObject({ code: '42501' });
});

test('what a role gives beyond the level wherever it creates is said with what ends it', async () => {
  const { admin, owner, scenario } = bare;
  const [a] = scenario.policy.logins;
  await admin.query(
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${migrator} GRANT SELECT, INSERT, DELETE ON TABLES TO ${owner}, ${a}`,
  );
  const { warnings } = await bare.create({ access: 'read' });
  expect(warnings).toEqual(
    [a, owner].map((role) =>
      expect.stringMatching(
        `^${role} gets DELETE, INSERT on future tables of ${migrator} in every schema.* REVOKE DELETE, INSERT ON TABLES FROM "${role}"$`,
      ),
    ),
  );
  for (const warning of warnings) await admin.query(warning.slice(warning.indexOf('ALTER DEFAULT')));
  expect((await bare.create({ access: 'read' })).warnings).toEqual([]);
});

test('an owner that two policies have has the level chosen last, and whom that concerns is said', async () => {
  const { scenario, owner } = bare;
  const other: Provision = {
    ...{ policy: 'other', kind: 'create', connection: 'db', logins: ['x', 'y'], owner },
    ...{ access: 'read-write', schemas: ['public'], made: [], dropped: [], deactivated: [] },
    ...{ requestedBy: 'test', at: new Date(Date.now() + 1_000) },
  };
  const plan = (wish: object, ...sharing: Provision[]) => bare.plan({ ...wish, sharing });
  expect((await plan({}, other)).intent).toMatchObject({ access: 'read-write', schemas: ['public'] });
  const asked = await plan({ access: 'read' }, other);
  expect(asked.intent.access).toBe('read');
  expect(asked.warnings).toEqual([
    `the owner ${owner} is also that of the policy other, for which read-write was chosen in schema public; an owner has one level there, so the logins of other have read, too`,
  ]);
  // Of a choice before this policy's own, or one that says nothing of its schemas, nothing is taken.
  for (const past of [
    { ...other, at: new Date(0) },
    { ...other, schemas: ['elsewhere'] },
  ]) {
    expect((await plan({}, past)).intent.access).toBe('read');
  }
  await scenario.ledger.provisions.record({
    ...other,
    ...{ policy: scenario.policy.name, access: 'read', schemas: ['public', 'former'] },
  });
  expect((await plan({ access: 'read', schemas: ['public'] })).intent.former).toEqual(['former']);
  const kept = { ...other, schemas: ['former'] };
  expect((await plan({ access: 'read', schemas: ['public'] }, kept)).intent.former).toEqual([]);
});

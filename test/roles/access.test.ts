import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { command } from '../../src/facts/remedy.ts';
import type { Provision } from '../../src/ledger/provisions.ts';
import { statementsOf, tell } from '../../src/messages/tell.ts';
import { type BarePolicy, openBarePolicy, whatIn } from '../support/bare-policy.ts';
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

/** The table `orders`, as facts name it. */
const ORDERS = { kind: 'table', schema: 'public', owner: migrator, count: 1, names: ['orders'] } as const;

test('create adds what is missing and revokes nothing unless asked: it names the excess, and repair or a level revokes it', async () => {
  const { admin, owner } = bare;
  const { name } = bare.scenario.policy;
  for (const take of [bare.repair, () => bare.create({ access: 'read' })]) {
    await admin.query(`GRANT DELETE ON orders TO ${owner}; REVOKE SELECT ON orders FROM ${owner}`);
    const { changes, warnings } = await bare.create();
    expect(whatIn(changes)).toEqual([
      fact('grant-privileges', { privileges: ['SELECT'], on: ORDERS, grantee: owner }),
    ]);
    const excess = { privileges: ['DELETE'], on: ORDERS, grantee: owner };
    expect(warnings).toEqual([
      fact(
        'privileges-beyond-level',
        { ...excess, access: 'read', policy: name },
        command('roles', 'repair', name),
      ),
    ]);
    expect(warnings.map(tell)).toEqual([
      `${owner} has DELETE on table public.orders, beyond the level read of ${name}; repair the roles to revoke that; run: keyturn roles repair ${name}`,
    ]);
    expect(whatIn((await take()).changes)).toEqual([fact('revoke-privileges', excess)]);
    expect(await bare.create()).toMatchObject({ changes: [], warnings: [] });
  }
});

test('with an owner, the logins themselves keep no privilege beyond the level, on tables, columns, schemas or future tables', async () => {
  const { admin, scenario, rotator } = bare;
  const [a, b] = scenario.policy.logins;
  await admin.query(`GRANT SELECT, DELETE ON orders TO ${a}; GRANT UPDATE (id) ON orders TO ${b};
    SET ROLE ${rotator}; GRANT CREATE ON SCHEMA public TO ${b}; RESET ROLE;
    ALTER DEFAULT PRIVILEGES FOR ROLE ${migrator} IN SCHEMA public GRANT SELECT, DELETE ON TABLES TO ${a}`);
  expect((await bare.create()).warnings).toHaveLength(4);
  expect((await bare.create({ access: 'read' })).changes.map(({ does }) => does)).toMatchObject([
    { code: 'revoke-privileges', params: { privileges: ['DELETE'], on: ORDERS, grantee: a } },
    {
      code: 'revoke-privileges',
      params: {
        privileges: ['DELETE'],
        on: { kind: 'future tables', schema: 'public', owner: migrator },
        grantee: a,
      },
    },
    {
      code: 'revoke-privileges',
      params: { privileges: ['CREATE'], on: { kind: 'schema', schema: 'public' }, grantee: b },
    },
    { code: 'revoke-privileges', params: { privileges: ['UPDATE'], on: ORDERS, grantee: b } },
  ]);
  await using session = await bare.as(a);
  await session.query('SELECT * FROM orders');
  await expect(session.query('DELETE FROM orders')).rejects.toMatchObject({ code: '42501' });
});

test('default privileges beyond the level that hold in every schema are named, with the statement that revokes them', async () => {
  const { admin, owner, scenario } = bare;
  const [a] = scenario.policy.logins;
  await admin.query(
    `ALTER DEFAULT PRIVILEGES FOR ROLE ${migrator} GRANT SELECT, INSERT, DELETE ON TABLES TO ${owner}, ${a}`,
  );
  const { warnings } = await bare.create({ access: 'read' });
  expect(warnings).toEqual(
    [a, owner].map((grantee) => ({
      code: 'default-privileges-beyond-level',
      params: { grantee, privileges: ['DELETE', 'INSERT'], kind: 'future tables', creator: migrator },
      remedies: [
        {
          kind: 'sql',
          as: migrator,
          statements: [expect.stringMatching(`REVOKE DELETE, INSERT ON TABLES FROM "${grantee}"$`)],
        },
      ],
    })),
  );
  for (const statement of warnings.flatMap(statementsOf)) await admin.query(statement);
  expect((await bare.create({ access: 'read' })).warnings).toEqual([]);
});

test('an owner of two policies has the level chosen last, and create says which logins that concerns', async () => {
  const { scenario, owner } = bare;
  const other: Provision = {
    ...{ policy: 'other', kind: 'create', connection: 'db', logins: ['x', 'y'], owner },
    ...{ access: 'read-write', schemas: ['public'], made: [], dropped: [], deactivated: [] },
    ...{ requestedBy: 'test', at: new Date(Date.now() + 1_000) },
  };
  const plan = (asked: object, ...sharing: Provision[]) => bare.plan({ ...asked, sharing });
  expect((await plan({}, other)).intent).toMatchObject({ access: 'read-write', schemas: ['public'] });
  const asked = await plan({ access: 'read' }, other);
  expect(asked.intent.access).toBe('read');
  expect(asked.warnings).toEqual([
    fact('owner-level-shared', {
      owner,
      access: 'read',
      schemas: ['public'],
      otherPolicy: 'other',
      otherAccess: 'read-write',
    }),
  ]);
  // Of a choice before this policy's own, or one that says nothing of its schemas, nothing is
  // taken.
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

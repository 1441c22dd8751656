import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type Fact, fact } from '../../src/facts/fact.ts';
import { command } from '../../src/facts/remedy.ts';
import type { Session } from '../../src/postgres/connection/connect.ts';
import { underLock } from '../../src/roles/under-lock.ts';
import { adminOf } from '../support/admin.ts';
import { type BarePolicy, openBarePolicy, whatIn } from '../support/bare-policy.ts';
import { uniqueName } from '../support/unique-name.ts';

const server = inject('postgres');

/** The logins as somebody else makes them, who lets the rotator alter them. */
async function makeByHand({ admin, rotator, scenario }: BarePolicy): Promise<void> {
  for (const login of scenario.policy.logins) {
    await admin.query(`CREATE ROLE ${login} CONNECTION LIMIT 7`);
    await admin.query(`GRANT ${login} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
  }
}

describe('repair names what drifted and puts it back, and then there is nothing to do:', () => {
  const migrator = uniqueName('migrator');
  const other = uniqueName('other');
  const ORDERS = { kind: 'table', schema: 'public', owner: migrator, count: 1, names: ['orders'] } as const;
  const PUBLIC = { kind: 'schema', schema: 'public', owner: 'keyturn', count: 1, names: [] } as const;
  const FUTURE_TABLES = { ...ORDERS, kind: 'future tables', names: [] } as const;
  let bare: BarePolicy;
  beforeAll(async () => {
    bare = await openBarePolicy(server, { creators: [migrator] });
    const { admin, rotator } = bare;
    for (const role of [migrator, other]) {
      await admin.query(`CREATE ROLE ${role}`);
      await admin.query(`GRANT ${role} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
    }
    await admin.query(`CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO ${migrator}`);
    await bare.create({ access: 'read' });
    await bare.scenario.finish(await bare.scenario.request());
  });
  afterAll(async () => {
    await bare.admin.query(`DROP TABLE orders; DROP OWNED BY ${migrator}; DROP ROLE ${migrator}, ${other}`);
    await bare[Symbol.asyncDispose]();
  });

  // `a` is published, `b` on standby, `r` the rotator that granted all of it.
  interface Names {
    readonly a: string;
    readonly b: string;
    readonly owner: string;
    readonly r: string;
    readonly database: string;
  }
  test.each<[name: string, breaking: (names: Names) => string, what: (names: Names) => Fact[]]>([
    [
      'a membership',
      ({ a, owner, r }) => `REVOKE ${owner} FROM ${a} GRANTED BY ${r}`,
      ({ a, owner }) => [fact('grant-membership', { role: owner, member: a })],
    ],
    [
      'a membership that does not let it become the owner',
      ({ b, owner, r }) => `GRANT ${owner} TO ${b} WITH SET FALSE GRANTED BY ${r}`,
      ({ b, owner }) => [fact('grant-membership', { role: owner, member: b })],
    ],
    [
      'a role default',
      ({ b }) => `ALTER ROLE ${b} RESET role`,
      ({ b, owner }) => [fact('set-default-role', { login: b, owner })],
    ],
    [
      'a role default that is another one in this database',
      ({ a, database }) => `ALTER ROLE ${a} IN DATABASE ${database} SET role = ${a}`,
      ({ a, owner }) => [fact('set-default-role', { login: a, owner })],
    ],
    [
      'a grant on a table',
      ({ owner }) => `REVOKE SELECT ON orders FROM ${owner}`,
      ({ owner }) => [fact('grant-privileges', { privileges: ['SELECT'], on: ORDERS, grantee: owner })],
    ],
    [
      'a grant that the level does not have, on a table and on a column',
      ({ owner }) => `GRANT DELETE ON orders TO ${owner}; GRANT UPDATE (id) ON orders TO ${owner}`,
      ({ owner }) => [
        fact('revoke-privileges', { privileges: ['DELETE', 'UPDATE'], on: ORDERS, grantee: owner }),
      ],
    ],
    [
      'a grant that somebody else made, with the right to',
      ({ owner, r }) => `GRANT CREATE ON SCHEMA public TO ${r} WITH GRANT OPTION;
        SET ROLE ${r}; GRANT CREATE ON SCHEMA public TO ${owner}; RESET ROLE`,
      ({ owner }) => [fact('revoke-privileges', { privileges: ['CREATE'], on: PUBLIC, grantee: owner })],
    ],
    [
      'a grant on the schema',
      ({ owner, r }) => `SET ROLE ${r}; REVOKE USAGE ON SCHEMA public FROM ${owner}; RESET ROLE`,
      ({ owner }) => [fact('grant-privileges', { privileges: ['USAGE'], on: PUBLIC, grantee: owner })],
    ],
    [
      'default privileges',
      ({ owner }) =>
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${migrator} IN SCHEMA public REVOKE SELECT ON TABLES FROM ${owner}`,
      ({ owner }) => [
        fact('grant-privileges', { privileges: ['SELECT'], on: FUTURE_TABLES, grantee: owner }),
      ],
    ],
    [
      'what belongs to a login',
      ({ b }) => `CREATE TABLE of_login (id serial); ALTER TABLE of_login OWNER TO ${b}`,
      ({ b, owner }) => [
        fact('hand-over-objects', {
          from: b,
          to: owner,
          count: 2,
          examples: ['sequence public.of_login_id_seq', 'table public.of_login'],
        }),
      ],
    ],
    [
      'a standby that can log in',
      ({ b }) => `ALTER ROLE ${b} LOGIN`,
      ({ b }) => [fact('disable-login', { login: b })],
    ],
    [
      'a published login that cannot',
      ({ a }) => `ALTER ROLE ${a} NOLOGIN`,
      ({ a }) => [fact('enable-login', { login: a })],
    ],
    [
      'an expiry',
      ({ a }) => `ALTER ROLE ${a} VALID UNTIL '2001-01-01'`,
      ({ a }) => [fact('remove-past-expiry', { login: a })],
    ],
    [
      'an expiry to come, of which the other login has none',
      ({ a }) => `ALTER ROLE ${a} VALID UNTIL '2100-01-01 00:00Z'`,
      ({ a }) => [fact('remove-expiry', { login: a, until: '2100-01-01T00:00:00.000Z' })],
    ],
    [
      'a connection limit',
      ({ a }) => `ALTER ROLE ${a} CONNECTION LIMIT 1`,
      ({ a }) => [fact('remove-connection-limit', { login: a, limit: 1 })],
    ],
    [
      'a membership that only the published login has',
      ({ a }) => `GRANT ${other} TO ${a}`,
      ({ a, b }) => [fact('copy-membership', { role: other, member: b, like: a })],
    ],
    [
      'a membership that only the standby has',
      ({ a }) => `REVOKE ${other} FROM ${a}`,
      ({ a, b }) => [fact('revoke-membership', { role: other, member: b, unlike: a })],
    ],
    [
      'a membership that another role than the rotator gave the standby',
      ({ b }) =>
        `GRANT ${other} TO ${migrator} WITH ADMIN OPTION; GRANT ${other} TO ${b} GRANTED BY ${migrator}`,
      ({ a, b }) => [fact('revoke-membership', { role: other, member: b, unlike: a })],
    ],
    [
      'a login that is gone',
      ({ b }) => `DROP OWNED BY ${b}; DROP ROLE ${b}`,
      ({ b, owner }) => [
        fact('create-role', { kind: 'login', role: b }),
        fact('grant-membership', { role: owner, member: b }),
        fact('set-default-role', { login: b, owner }),
      ],
    ],
    [
      'the right to connect',
      ({ database }) => `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`,
      ({ a, b, database }) => [fact('grant-connect', { logins: [a, b], database })],
    ],
  ])('%s', async (_name, breaking, what) => {
    const { policy, connection } = bare.scenario;
    const [a, b] = policy.logins;
    const names = { a, b, owner: bare.owner, r: bare.rotator, database: connection.database };
    await bare.admin.query(breaking(names));
    expect(whatIn((await bare.diagnose()).changes)).toEqual(what(names));
    expect((await bare.repair()).left).toEqual([]);
    expect((await bare.diagnose()).changes).toEqual([]);
  });

  test('an administrator can run the printed statements instead', async () => {
    const { admin, owner, rotator, scenario } = bare;
    const [a, b] = scenario.policy.logins;
    await admin.query(`REVOKE ${owner} FROM ${a} GRANTED BY ${rotator}; ALTER ROLE ${b} LOGIN;
      SET ROLE ${rotator}; GRANT CREATE ON SCHEMA public TO ${owner}; RESET ROLE; REVOKE SELECT ON orders FROM ${owner};
      GRANT ${other} TO ${b}; GRANT ${other} TO ${b} GRANTED BY ${migrator}`);
    const { changes } = await bare.diagnose({ executor: 'administrator' });
    expect(changes).toHaveLength(5);
    await admin.query(['BEGIN', ...changes.map(({ sql }) => sql), 'COMMIT'].join(';\n'));
    expect((await bare.diagnose()).changes).toEqual([]);
  });

  test('only a superuser revokes what a superuser granted, and the message says so', async () => {
    const { admin, scenario } = bare;
    const [, b] = scenario.policy.logins;
    await admin.query(`GRANT ${other} TO ${b}`);
    const { name } = scenario.policy;
    await expect(bare.repair()).rejects.toMatchObject({
      fact: {
        code: 'roles-rights-missing',
        params: { rotator: bare.rotator, rights: [{ code: 'cannot-act-for-superuser' }] },
        remedies: [
          {
            kind: 'command',
            command: `keyturn roles repair ${name} --access read --schema public --sql | psql -v ON_ERROR_STOP=1 -h ${scenario.connection.host} -p ${scenario.connection.port} -d ${scenario.connection.database}`,
          },
        ],
      },
    });
    await admin.query(`REVOKE ${other} FROM ${b}`);
  });

  describe('while another session', () => {
    let other: Session;
    beforeEach(async () => {
      other = await adminOf(server, bare.scenario.connection.database);
    });
    afterEach(() => other[Symbol.asyncDispose]());

    test('reads a table that is to be handed over, repair gives up, so that consumers do not queue up behind it', async () => {
      const { admin, scenario } = bare;
      await admin.query(`CREATE TABLE busy (); ALTER TABLE busy OWNER TO ${scenario.policy.logins[1]}`);
      await other.client.query('BEGIN; SELECT FROM public.busy');
      const change = {
        code: 'hand-over-objects',
        params: { from: scenario.policy.logins[1], to: bare.owner, examples: ['table public.busy'] },
      };
      await expect(bare.repair()).rejects.toMatchObject({
        fact: {
          code: 'roles-lock-timeout',
          params: { seconds: 2, cause: { code: 'role-change-failed', params: { change } } },
        },
      });
      await other.client.query('ROLLBACK');
      await admin.query('DROP TABLE busy');
    });

    test('alters the same role, nothing is done, and repair can be run again', async () => {
      const { admin, scenario } = bare;
      const [a] = scenario.policy.logins;
      await admin.query(`ALTER ROLE ${a} CONNECTION LIMIT 5`);
      await other.client.query(`BEGIN; ALTER ROLE ${a} CONNECTION LIMIT 6`);
      const refused = expect(bare.repair()).rejects.toMatchObject({
        fact: { code: 'roles-changed-concurrently' },
      });
      await bare.isHeldUp();
      await other.client.query('COMMIT');
      await refused;
      await bare.repair();
    });

    test('changes other roles in the database, repair waits for its turn', async () => {
      const { admin, scenario } = bare;
      await admin.query(`ALTER ROLE ${scenario.policy.logins[0]} CONNECTION LIMIT 5`);
      let repaired: ReturnType<BarePolicy['repair']> | undefined;
      await underLock(other.client, ['others_a', 'others_b'], async () => {
        repaired = bare.repair();
        await bare.isHeldUp();
      });
      expect((await repaired)?.changes).toHaveLength(1);
    });
  });

  test('a standby that can log in is left while somebody uses it or a rotation is open, and repair says so', async () => {
    const { scenario } = bare;
    const [, b] = scenario.policy.logins;
    {
      await using _session = await bare.as(b);
      expect(await bare.repair()).toMatchObject({
        changes: [],
        left: [
          {
            code: 'standby-in-use',
            params: { login: b, published: scenario.policy.logins[0], sessions: [{ state: 'idle' }] },
          },
        ],
      });
    }
    const rotation = await scenario.request();
    expect(await bare.repair()).toMatchObject({
      changes: [],
      left: [fact('standby-left-to-rotation', { login: b })],
    });
    await scenario.ledger.finish(rotation, 'failed');
    await expect.poll(async () => (await bare.diagnose()).changes).toHaveLength(1);
    await bare.repair();
  });

  test('nothing is done if the roles changed between the plan and the yes', async () => {
    const { admin, scenario } = bare;
    const [a] = scenario.policy.logins;
    const agreed = await bare.diagnose();
    await admin.query(`ALTER ROLE ${a} CONNECTION LIMIT 5`);
    await expect(bare.repair({ agreed })).rejects.toMatchObject({
      fact: fact('roles-changed-since-shown', { policy: scenario.policy.name }),
    });
    await admin.query(`ALTER ROLE ${a} CONNECTION LIMIT -1`);
  });
});

test('privileges of logins that existed before do not change until a level is chosen, and limits follow the published login', async () => {
  await using bare = await openBarePolicy(server, { withOwner: false });
  const { admin, scenario } = bare;
  const [a, b] = scenario.policy.logins;
  await makeByHand(bare);
  await admin.query(`CREATE TABLE orders (id int); GRANT ALL ON orders TO ${a}, ${b}`);
  await scenario.finish(await scenario.request());
  expect(await bare.create()).toMatchObject({
    changes: [],
    warnings: [fact('access-never-chosen', { policy: scenario.policy.name })],
  });
  await admin.query(`ALTER ROLE ${b} CONNECTION LIMIT 3; ALTER TABLE orders OWNER TO ${b}`);
  expect(await bare.diagnose()).toMatchObject({
    changes: [{ does: fact('set-connection-limit', { login: b, limit: 7, like: a }) }],
    left: [fact('objects-without-owner', { role: b, count: 1 })],
  });
  await bare.repair();
  expect((await bare.diagnose()).changes).toEqual([]);
  // A limit that lets nobody in is no model, whoever has it.
  await admin.query(`ALTER ROLE ${a} CONNECTION LIMIT 0`);
  expect(whatIn((await bare.repair()).changes)).toEqual([
    fact('set-connection-limit', { login: a, limit: 7, like: b }),
  ]);
  await expect(bare.create({ access: 'owner' })).rejects.toMatchObject({
    fact: fact('owner-level-without-owner', { policy: scenario.policy.name }),
  });
  await admin.query('DROP TABLE orders');
});

test('a login that is gone is created again like the other one, even the published one, and the next rotation publishes a login that works', async () => {
  await using bare = await openBarePolicy(server);
  const { admin, scenario, owner, rotator } = bare;
  const [a, b] = scenario.policy.logins;
  const other = uniqueName('other');
  await bare.create();
  await scenario.finish(await scenario.request());
  await admin.query(`CREATE ROLE ${other}; GRANT ${other} TO ${b}; GRANT ${other} TO ${rotator} WITH ADMIN OPTION;
    DROP OWNED BY ${a}; DROP ROLE ${a}`);
  const shown = await bare.diagnose();
  expect(whatIn(shown.changes)).toEqual([
    fact('create-role', { kind: 'login', role: a }),
    fact('grant-membership', { role: owner, member: a }),
    fact('set-default-role', { login: a, owner }),
    fact('enable-login', { login: a }),
    fact('copy-membership', { role: other, member: a, like: b }),
  ]);
  const { name } = scenario.policy;
  expect(shown.left).toEqual([
    fact('published-login-recreated', { login: a, policy: name }, command('rotate', name)),
  ]);
  expect(await bare.repair({ agreed: shown })).toMatchObject({ changes: shown.changes });
  expect(await bare.diagnose()).toMatchObject({ changes: [], left: [] });
  await admin.query(`DROP OWNED BY ${b}; DROP ROLE ${b}`);
  expect((await bare.repair()).changes.at(-1)?.does).toEqual(
    fact('copy-membership', { role: other, member: b, like: a }),
  );
  expect(await bare.diagnose()).toMatchObject({ changes: [], left: [] });
  const lost = await scenario.published();
  await expect(scenario.logIn(lost)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  const published = await scenario.published();
  expect(published.username).toBe(b);
  await using _session = await scenario.logIn(published);
  await admin.query(`DROP ROLE ${other}`);
});

test('a login that is gone, of a pair that existed before, is created again with the limit of the other', async () => {
  await using bare = await openBarePolicy(server, { withOwner: false });
  const { admin, scenario } = bare;
  const [a, b] = scenario.policy.logins;
  await makeByHand(bare);
  await scenario.finish(await scenario.request());
  for (const login of [b, a]) {
    await admin.query(`DROP ROLE ${login}`);
    const { changes } = await bare.repair();
    expect(whatIn(changes)).toContainEqual(
      fact('set-connection-limit', { login, limit: 7, like: login === a ? b : a }),
    );
    await bare.repair();
  }
});

test('changes that only show once others are made are made too', async () => {
  await using bare = await openBarePolicy(server);
  const { admin } = bare;
  const [a, b] = bare.scenario.policy.logins;
  await bare.create({ access: 'read' });
  await admin.query(`CREATE TABLE own (id int); ALTER TABLE own OWNER TO ${a}; GRANT ALL ON own TO ${b}`);
  expect((await bare.diagnose()).changes).toHaveLength(1);
  expect(whatIn((await bare.repair()).changes)).toMatchObject([
    fact('hand-over-objects', { from: a, to: bare.owner, count: 1, examples: ['table public.own'] }),
    {
      code: 'revoke-privileges',
      params: {
        privileges: expect.arrayContaining(['INSERT', 'UPDATE', 'DELETE']),
        on: { kind: 'table', schema: 'public', count: 1, names: ['own'] },
        grantee: b,
      },
    },
  ]);
  expect((await bare.diagnose()).changes).toEqual([]);
  await admin.query('DROP TABLE own');
});

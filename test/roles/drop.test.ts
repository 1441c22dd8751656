import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { ensureDatabase } from '../../src/postgres/embedded/provision-embedded.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { withPolicyLock } from '../../src/postgres/locks/policy-lock.ts';
import { adminOf } from '../support/admin.ts';
import { type BarePolicy, openBarePolicy } from '../support/bare-policy.ts';
import { freePort } from '../support/postgres-server.ts';
import { uniqueName } from '../support/unique-name.ts';

const server = inject('postgres');

let bare: BarePolicy;
beforeEach(async () => {
  bare = await openBarePolicy(server);
  await bare.create();
});
afterEach(() => bare[Symbol.asyncDispose]());

describe('nothing is dropped', () => {
  async function expectRefused(refusal: object, context?: Parameters<BarePolicy['drop']>[0]): Promise<void> {
    await expect(bare.drop(context)).rejects.toMatchObject({ fact: refusal });
    expect(await bare.exist(...bare.scenario.policy.logins, bare.owner)).toEqual([true, true, true]);
  }

  test('while a configured policy publishes a login', async () => {
    const { scenario } = bare;
    await scenario.finish(await scenario.request());
    const { destinations, policy } = scenario;
    const params = { login: policy.logins[0], destination: 'files (primary)', policy: policy.name };
    await expectRefused({ code: 'drop-login-published', params }, { destinations });
  });

  test('while another policy has one of the logins', async () => {
    const { policy } = bare.scenario;
    await expectRefused(
      { code: 'drop-login-of-other-policy', params: { login: policy.logins[1], policy: 'renamed' } },
      { others: [{ ...policy, name: 'renamed', logins: [policy.logins[1], 'another'] }] },
    );
  });

  test('while a rotation is open', async () => {
    const { id, policy } = await bare.scenario.request();
    await expectRefused({
      code: 'drop-during-rotation',
      params: { policy, rotation: id },
      remedies: [{ kind: 'command', command: `keyturn cancel ${policy}` }],
    });
  });

  test('while a login has a session', async () => {
    const [, login] = bare.scenario.policy.logins;
    await using _session = await bare.as(login);
    await expectRefused({
      code: 'drop-login-in-use',
      params: { login, sessions: [{ state: 'idle' }], prepared: [], clients: [] },
    });
  });

  test.each([
    [
      'a replica',
      'replicas',
      (name: string) => ({
        code: 'server-unreachable',
        params: { replica: { name, connection: bare.scenario.connection.name } },
      }),
    ],
    [
      'a PgBouncer',
      'pgbouncer',
      (name: string) => ({
        code: 'roles-pgbouncer-silent',
        params: {
          connection: bare.scenario.connection.name,
          cause: {
            code: 'pgbouncer-unreachable',
            params: { place: expect.stringContaining(`nobody@${name}`) },
          },
        },
      }),
    ],
  ])('while %s, where a login may be in use, cannot be asked (G6)', async (_name, key, refusal) => {
    const port = await freePort();
    const listed = { [key]: [{ host: '127.0.0.1', port, user: 'nobody', tls: { mode: 'disable' } }] };
    const connection = { ...bare.scenario.connection, ...listed };
    await expectRefused(refusal(`127.0.0.1:${port}`), { connection });
  });

  test('while a session of another worker changes the logins', async () => {
    const { scenario } = bare;
    const rotation = await scenario.request();
    await using context = scenario.context(rotation);
    const client = await context.rotator();
    await scenario.ledger.finish(rotation, 'failed');
    await withPolicyLock(client, scenario.policy.logins, () =>
      expectRefused({ code: 'roles-locked', params: { logins: scenario.policy.logins } }),
    );
  });

  test('while a login owns something and the policy has no owner to take it', async () => {
    await using alone = await openBarePolicy(server, { withOwner: false });
    const [a, b] = alone.scenario.policy.logins;
    await alone.create();
    await alone.admin.query(`CREATE TABLE precious (id int); ALTER TABLE precious OWNER TO ${a}`);
    const { database } = alone.scenario.connection;
    await expect(alone.drop()).rejects.toMatchObject({
      fact: {
        code: 'drop-without-owner',
        params: { role: a, count: 1, database, examples: ['table public.precious'] },
      },
    });
    expect(await alone.exist(a, b)).toEqual([true, true]);
    await alone.admin.query('DROP TABLE precious');
    expect(await alone.drop()).toMatchObject({ dropped: [a, b] });
  });
});

describe('the logins are disabled first, and nothing is lost', () => {
  test('when somebody logs in before that: the session goes on, and nothing is dropped until it ends', async () => {
    const { admin, scenario } = bare;
    const [a, b] = scenario.policy.logins;
    await admin.query(`ALTER ROLE ${a} LOGIN PASSWORD 'of-the-test'`);
    await using other = await adminOf(server);
    await other.client.query(`BEGIN; ALTER ROLE ${a} CONNECTION LIMIT 5`);
    const dropping = bare.drop();
    const refused = expect(dropping).rejects.toMatchObject({
      fact: {
        code: 'drop-stopped',
        params: { logins: [a, b], cause: { code: 'drop-login-in-use', params: { login: a } } },
      },
    });
    await bare.isHeldUp();
    const late = { username: a, password: 'of-the-test' };
    {
      await using session = await scenario.logIn(late);
      await other.client.query('ROLLBACK');
      await refused;
      await session.client.query('SELECT 1');
      await expect(scenario.logIn(late)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
    }
    expect(await bare.drop()).toMatchObject({ dropped: expect.arrayContaining([a, b]) });
  });

  test('when somebody acts as a login without logging in: what they create at the last instant stays, and is handed over', async () => {
    const { admin, scenario, owner } = bare;
    const [a, b] = scenario.policy.logins;
    await using other = await adminOf(server, scenario.connection.database);
    // Between the look and DROP OWNED the rotator lends itself the login.
    await other.client.query('BEGIN; LOCK TABLE pg_catalog.pg_auth_members IN SHARE MODE');
    const refused = expect(bare.drop()).rejects.toMatchObject({
      fact: {
        code: 'drop-stopped',
        params: {
          cause: { code: 'objects-made-during-drop', params: { role: a, objects: ['large object 4711'] } },
        },
      },
    });
    await bare.isHeldUp();
    await admin.query(`SET ROLE ${a}`);
    await admin.query(`SELECT lo_from_bytea(4711, 'precious')`);
    await admin.query('RESET ROLE');
    await other.client.query('ROLLBACK');
    await refused;
    expect(await bare.exist(a, b)).toEqual([true, true]);
    expect((await bare.drop()).facts).toContainEqual(
      fact('hand-over-objects', { from: a, to: owner, count: 1, examples: ['large object 4711'] }),
    );
    const { rows } = await admin.query('SELECT lo_get(4711)::text AS data');
    expect(rows).toEqual([{ data: `\\x${Buffer.from('precious').toString('hex')}` }]);
    await admin.query('SELECT lo_unlink(4711)');
  });
});

test('what the logins own becomes the owner’s, which then stays; the ledger records the drop', async () => {
  const { admin, scenario, owner } = bare;
  const [a, b] = scenario.policy.logins;
  await scenario.finish(await scenario.request());
  await admin.query(
    `CREATE TABLE precious (id int); INSERT INTO precious VALUES (7); ALTER TABLE precious OWNER TO ${b}`,
  );
  const { facts, ...outcome } = await bare.drop();
  expect(outcome).toEqual({ dropped: [a, b], deactivated: [] });
  const { database } = scenario.connection;
  expect(facts).toEqual([
    fact('drop-role', { kind: 'login', role: a }),
    fact('hand-over-objects', { from: b, to: owner, count: 1, examples: ['table public.precious'] }),
    fact('drop-role', { kind: 'login', role: b }),
    fact('owner-kept-for-objects', { owner, objects: [{ count: 1, database }] }),
  ]);
  const { rows } = await admin.query('SELECT id, tableowner FROM precious, pg_tables WHERE tablename = $1', [
    'precious',
  ]);
  expect(rows).toEqual([{ id: 7, tableowner: owner }]);
  expect((await scenario.ledger.provisions.latest()).get(scenario.policy.name)).toMatchObject({
    kind: 'drop',
    dropped: [a, b],
    deactivated: [],
    requestedBy: 'test',
  });
  expect(await scenario.ledger.provisions.made(scenario.policy.connection)).toEqual([owner]);
  await admin.query('DROP TABLE precious');
});

test('grants of every kind are revoked, whoever made them, and the owner that keyturn created is dropped too', async () => {
  const { admin, scenario, owner, rotator } = bare;
  const [a, b] = scenario.policy.logins;
  const migrator = uniqueName('migrator');
  await admin.query(`CREATE ROLE ${migrator}; GRANT ${migrator} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE;
    CREATE SCHEMA own AUTHORIZATION ${migrator}; CREATE TABLE own.orders (id serial); ALTER TABLE own.orders OWNER TO ${migrator}`);
  await bare.create({ access: 'owner', schemas: ['own', 'public'] });
  await admin.query(`SET ROLE ${migrator}; GRANT SELECT ON own.orders TO ${a}; RESET ROLE;
    REVOKE CONNECT ON DATABASE ${scenario.connection.database} FROM PUBLIC`);
  // PostgreSQL hands no user mapping over: it is the login's, and goes with it.
  await admin.query(`CREATE FOREIGN DATA WRAPPER files; CREATE SERVER files FOREIGN DATA WRAPPER files;
    CREATE USER MAPPING FOR ${a} SERVER files`);
  await bare.repair();
  expect(await bare.drop()).toMatchObject({ dropped: [a, b, owner] });
  expect(await bare.drop()).toMatchObject({ dropped: [], deactivated: [] });
  // What was dropped begins anew.
  expect((await bare.create()).intent).toMatchObject({ access: 'owner', schemas: ['public'] });
  await admin.query(`DROP SCHEMA own CASCADE; DROP OWNED BY ${migrator}; DROP ROLE ${migrator}`);
});

test('a login on which something in another database depends is deactivated instead, and drop says so', async () => {
  const { scenario, owner } = bare;
  const [a, b] = scenario.policy.logins;
  const elsewhere = uniqueName('elsewhere');
  await ensureDatabase(bare.admin, elsewhere);
  {
    await using other = await adminOf(server, elsewhere);
    await other.client.query(`CREATE TABLE public.report (id int); GRANT SELECT ON public.report TO ${a}`);
  }
  await scenario.finish(await scenario.request());
  const published = await scenario.published();
  expect(published.username).toBe(a);
  const { facts, ...outcome } = await bare.drop();
  expect(outcome).toEqual({ dropped: [b], deactivated: [a] });
  expect(facts).toContainEqual(
    fact('deactivate-login', { login: a, dependents: [`1 object in database ${elsewhere}`] }),
  );
  expect(facts).toContainEqual(fact('owner-kept-for-members', { owner, members: [a] }));
  await expect(scenario.logIn(published)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
  // Once that is gone, so is the login.
  await bare.admin.query(`DROP DATABASE ${elsewhere}`);
  expect(await bare.drop()).toMatchObject({ dropped: [a, owner], deactivated: [] });
});

test('an owner stays if keyturn did not create it, or if another policy has it', async () => {
  const { admin, scenario, owner } = bare;
  const { policy } = scenario;
  const second = { ...policy, name: 'second', logins: ['x', 'y'] as [string, string] };
  expect((await bare.drop({ others: [second] })).facts).toContainEqual(
    fact('owner-kept-for-policy', { owner, policy: 'second' }),
  );
  expect(await bare.drop()).toMatchObject({ dropped: [owner] });
  await admin.query(`CREATE ROLE ${quoteIdentifier(owner)}`);
  expect((await bare.drop()).facts).toContainEqual(fact('owner-kept-as-found', { owner }));
});

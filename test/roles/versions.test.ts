import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { factOf } from '../../src/facts/fault.ts';
import { sql } from '../../src/facts/remedy.ts';
import { statementsOf } from '../../src/messages/tell.ts';
import { type BarePolicy, openBarePolicy, whatIn } from '../support/bare-policy.ts';
import {
  haveOlderVersions,
  OLDER_VERSIONS,
  type PostgresServer,
  startPostgres,
} from '../support/postgres-server.ts';
import type { ServerAddress } from '../support/scenario.ts';
import { uniqueName } from '../support/unique-name.ts';

const VERSIONS = [...(haveOlderVersions ? OLDER_VERSIONS : []), 18] as const;

describe.each(VERSIONS)('on PostgreSQL %i', (version) => {
  let server: ServerAddress;
  let started: PostgresServer | undefined;
  beforeAll(async () => {
    // The one that all files share is the newest.
    started = version === 18 ? undefined : await startPostgres({ version });
    server = started ?? inject('postgres');
  });
  afterAll(() => started?.[Symbol.asyncDispose]());
  /** From PostgreSQL 16 on a membership is taken back as who gave it. */
  const by = (grantor: string) => (version >= 16 ? `GRANTED BY ${grantor}` : '');

  test('with the printed rotator alone, roles are created, rotated four times, repaired and dropped (G1, G2)', async () => {
    await using bare = await openBarePolicy(server);
    const { scenario, admin, owner, rotator } = bare;
    const [a, b] = scenario.policy.logins;
    const { makes, current } = await bare.create();
    expect(Math.trunc(current.server.version / 10_000)).toBe(version);
    expect(makes).toEqual([owner, a, b]);
    expect((await bare.create()).changes).toEqual([]);
    let before: { username: string; password: string } | undefined;
    for (const username of [a, b, a, b]) {
      expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
      const published = await scenario.published();
      expect(published.username).toBe(username);
      await using _session = await scenario.logIn(published);
      if (before)
        await expect(scenario.logIn(before)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
      before = published;
    }
    expect((await bare.diagnose()).changes).toEqual([]);

    await admin.query(
      `REVOKE ${owner} FROM ${a} ${by(rotator)}; ALTER ROLE ${a} LOGIN VALID UNTIL '2001-01-01'`,
    );
    await admin.query(`CREATE TABLE own (id int); ALTER TABLE own OWNER TO ${b}`);
    const extra = uniqueName('extra');
    await admin.query(`CREATE ROLE ${extra}`);
    if (version >= 16) {
      await admin.query(`GRANT ${extra} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
    }
    await admin.query(`GRANT ${extra} TO ${a} ${by(rotator)}`);
    expect(whatIn((await bare.repair()).changes)).toEqual([
      fact('grant-membership', { role: owner, member: a }),
      fact('disable-login', { login: a }),
      fact('remove-past-expiry', { login: a }),
      fact('revoke-membership', { role: extra, member: a, unlike: b }),
      fact('hand-over-objects', { from: b, to: owner, count: 1, examples: ['table public.own'] }),
    ]);
    expect((await bare.repair()).changes).toEqual([]);
    expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });

    // The published one, without its password: the next rotation turns to the other.
    await admin.query(`DROP OWNED BY ${a}; DROP ROLE ${a}`);
    expect((await bare.repair()).makes).toEqual([a]);
    expect((await bare.diagnose()).changes).toEqual([]);
    expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
    expect((await scenario.published()).username).toBe(b);

    // What it lent itself to do this it has not kept.
    const { rows } = await admin.query(
      `SELECT count(*)::int AS kept FROM pg_auth_members AS membership
         JOIN pg_roles AS me ON me.oid = membership.member AND me.rolname = $1
         JOIN pg_roles AS role ON role.oid = membership.roleid AND role.rolname !~ '^pg_'
        WHERE coalesce((to_jsonb(membership) ->> 'inherit_option')::boolean, true)`,
      [rotator],
    );
    expect(rows).toEqual([{ kept: 0 }]);

    await admin.query(`ALTER TABLE own OWNER TO current_user`);
    expect(await bare.drop()).toMatchObject({ dropped: [a, b, owner], deactivated: [] });
    expect(await bare.exist(a, b, owner)).toEqual([false, false, false]);
    await admin.query(`DROP ROLE ${extra}`);
  });

  test('for each right that is missing, the message has the statement that gives it, and it works', async () => {
    await using bare = await openBarePolicy(server);
    const { admin, scenario, owner, rotator } = bare;
    const { database } = scenario.connection;
    const [a, b] = scenario.policy.logins;

    /**
     * Takes a right away, expects the message to name the statement that gives it, and runs just
     * that.
     */
    async function mends(taking: string, remedy: string, act: () => Promise<unknown>): Promise<void> {
      await admin.query(taking);
      const fault = await act().then(() => undefined, factOf);
      expect(fault && statementsOf(fault)).toEqual([remedy]);
      await admin.query(remedy);
    }

    await mends(`ALTER ROLE ${rotator} NOCREATEROLE`, `ALTER ROLE ${rotator} CREATEROLE`, bare.create);
    await mends(
      `REVOKE pg_read_all_stats FROM ${rotator}`,
      `GRANT pg_read_all_stats TO ${rotator}`,
      bare.create,
    );
    await mends(
      `REVOKE pg_signal_backend FROM ${rotator}`,
      `GRANT pg_signal_backend TO ${rotator}`,
      bare.create,
    );
    await mends(
      `REVOKE GRANT OPTION FOR ALL ON SCHEMA public FROM ${rotator}`,
      `GRANT USAGE, CREATE ON SCHEMA "public" TO "${rotator}" WITH GRANT OPTION`,
      bare.create,
    );
    await mends(
      `REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC;
       REVOKE GRANT OPTION FOR CONNECT ON DATABASE ${database} FROM ${rotator}`,
      `GRANT CONNECT ON DATABASE "${database}" TO "${rotator}" WITH GRANT OPTION`,
      bare.create,
    );
    await mends(
      `REVOKE CONNECT ON DATABASE ${database} FROM ${rotator}`,
      `GRANT CONNECT ON DATABASE "${database}" TO "${rotator}"`,
      bare.create,
    );
    await admin.query(`GRANT CONNECT ON DATABASE ${database} TO ${rotator} WITH GRANT OPTION`);
    // Nothing was made by any of these.
    expect(await bare.exist(...scenario.policy.logins, owner)).toEqual([false, false, false]);

    const migrator = uniqueName('migrator');
    await admin.query(
      `CREATE ROLE ${migrator}; CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO ${migrator}`,
    );
    if (version >= 16) {
      await mends(
        'SELECT',
        `GRANT "${migrator}" TO "${rotator}" WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
        bare.create,
      );
    }
    await bare.create();
    expect((await bare.plan()).changes).toEqual([]);
    await using session = await bare.as(a);
    await session.query('INSERT INTO orders VALUES (1)');
    await admin.query(`ALTER ROLE ${a} NOLOGIN`);
    await session.end();

    if (version >= 16) {
      await mends(
        `REVOKE ${a} FROM ${rotator}`,
        `GRANT "${a}" TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
        bare.repair,
      );
      await mends(
        `REVOKE ${owner} FROM ${rotator} CASCADE`,
        `GRANT "${owner}" TO "${rotator}" WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
        bare.repair,
      );
    }
    await bare.repair();
    expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });

    // What takes more than the rights of both roles an administrator does.
    await admin.query(`CREATE SCHEMA own AUTHORIZATION ${b}`);
    const handing = `REASSIGN OWNED BY "${b}" TO "${owner}"`;
    await expect(bare.repair()).rejects.toMatchObject({
      fact: {
        code: 'role-change-failed',
        params: { change: { code: 'hand-over-objects', params: { from: b, to: owner } } },
        remedies: [sql(handing)],
      },
    });
    await expect(bare.drop()).rejects.toMatchObject({
      fact: {
        code: 'drop-stopped',
        params: {
          cause: {
            code: 'hand-over-forbidden',
            params: { from: b, to: owner },
            remedies: [sql(handing)],
          },
        },
      },
    });
    await admin.query(handing);
    expect(await bare.drop()).toMatchObject({ dropped: [a, b] });
    await admin.query(`DROP TABLE orders; DROP OWNED BY ${migrator}; DROP ROLE ${migrator}`);
  });

  describe('the level of access', () => {
    let bare: BarePolicy;
    const migrator = uniqueName('migrator');
    beforeAll(async () => {
      bare = await openBarePolicy(server, { creators: [migrator] });
      const { admin, rotator } = bare;
      await admin.query(`CREATE ROLE ${migrator}; GRANT CREATE, USAGE ON SCHEMA public TO ${migrator}`);
      if (version >= 16) {
        await admin.query(`GRANT ${migrator} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
      } else if (version === 14) {
        // From PostgreSQL 15 on that is so by itself.
        await admin.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
      }
      await admin.query(`SET ROLE ${migrator}; CREATE TABLE before (id serial, text text);
        CREATE VIEW seen AS SELECT * FROM before; INSERT INTO before (text) VALUES ('x'); RESET ROLE`);
    });
    afterAll(async () => {
      await bare.admin.query(`DROP OWNED BY ${migrator}; DROP ROLE ${migrator}`);
      await bare[Symbol.asyncDispose]();
    });

    const ATTEMPTS = {
      read: 'SELECT id FROM before UNION SELECT id FROM seen UNION SELECT id FROM later_T',
      'read a sequence': 'SELECT last_value FROM before_id_seq UNION SELECT last_value FROM later_T_id_seq',
      insert: `INSERT INTO before (text) VALUES ('a'); INSERT INTO later_T (text) VALUES ('a')`,
      update: `UPDATE before SET text = 'b'; UPDATE later_T SET text = 'b'`,
      delete: 'DELETE FROM before; DELETE FROM later_T',
      'use a sequence': `SELECT nextval('before_id_seq'), nextval('later_T_id_seq')`,
      truncate: 'TRUNCATE later_T',
      create: 'CREATE TABLE mine_T (id int)',
    };
    type Attempt = keyof typeof ATTEMPTS;

    /** What works for a login, with tables from before the level was chosen and from after it. */
    async function worksAt(access: string): Promise<Attempt[]> {
      const { admin, scenario } = bare;
      await bare.create({ access });
      expect((await bare.plan({ access })).changes).toEqual([]);
      const table = uniqueName('t');
      await admin.query(
        `SET ROLE ${migrator}; CREATE TABLE later_${table} (id serial, text text); RESET ROLE`,
      );
      await using session = await bare.as(scenario.policy.logins[0]);
      const working: Attempt[] = [];
      for (const [attempt, sql] of Object.entries(ATTEMPTS) as [Attempt, string][]) {
        const error = await session.query(sql.replaceAll('_T', `_${table}`)).then(
          () => undefined,
          ({ code }) => code,
        );
        if (error === undefined) working.push(attempt);
        else expect(error).toBe('42501');
      }
      return working;
    }

    test('none reads nothing; read reads what is and what will be; read-write writes and uses sequences; owner creates; and lowering it takes all of that back', async () => {
      const READ: Attempt[] = ['read', 'read a sequence'];
      const WRITE: Attempt[] = [...READ, 'insert', 'update', 'delete', 'use a sequence'];
      expect(await worksAt('none')).toEqual([]);
      expect(await worksAt('read')).toEqual(READ);
      expect(await worksAt('read-write')).toEqual(WRITE);
      expect(await worksAt('owner')).toEqual([...WRITE, 'truncate', 'create']);
      expect(await worksAt('read-write')).toEqual(WRITE);
      expect(await worksAt('read')).toEqual(READ);
      expect(await worksAt('none')).toEqual([]);
    });

    test('an owner’s login creates what the other login can alter', async () => {
      await bare.create({ access: 'owner' });
      const [a, b] = bare.scenario.policy.logins;
      {
        await using first = await bare.as(a);
        await first.query('CREATE TABLE shared (id serial); INSERT INTO shared DEFAULT VALUES');
      }
      await using second = await bare.as(b);
      await second.query('ALTER TABLE shared ADD COLUMN more int; INSERT INTO shared DEFAULT VALUES');
      await second.query('DROP TABLE shared');
    });

    // From PostgreSQL 15 on that is not so by itself.
    if (version === 14) {
      test('a warning says that everybody may create in the schema public, and how to revoke that', async () => {
        await bare.admin.query('GRANT CREATE ON SCHEMA public TO PUBLIC');
        const { warnings } = await bare.create({ access: 'read-write' });
        const remedy = 'REVOKE CREATE ON SCHEMA "public" FROM PUBLIC';
        expect(warnings).toContainEqual({
          code: 'public-privileges',
          params: expect.objectContaining({
            privileges: ['CREATE'],
            on: expect.objectContaining({ kind: 'schema', schema: 'public' }),
          }),
          remedies: [expect.objectContaining({ kind: 'sql', statements: [remedy] })],
        });
        expect(await worksAt('read-write')).toContain('create');
        await bare.admin.query(remedy);
        expect(await worksAt('read-write')).not.toContain('create');
      });
    }
  });
});

import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../../src/facts/remedy.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { lockKey } from '../../src/postgres/locks/lock-holders.ts';
import { haveOlderVersions, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { factNamed, runStatements } from '../support/remedies.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

/** It takes seconds, and is to take 30 s at most; these machines are noisy, and a blocked rotation would take for ever. */
const BOUND_MS = 60_000;

const SERVERS = [
  ...(haveOlderVersions ? ([['14', 14]] as const) : []),
  ['the embedded version', undefined] as const,
];

describe.each(SERVERS)('on PostgreSQL %s', (_, version) => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres({
      ...(version ? { version } : {}),
      settings: { max_prepared_transactions: '10' },
    });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test('attack: a leaked login holds every advisory lock that a name leads to, and an emergency shuts it out', async () => {
    await using attacked = await openAttacked(server);
    const attacker = await attacked.session();
    await attacker.query('SELECT pg_advisory_lock($1)', [
      lockKey(['keyturn', ...attacked.scenario.policy.logins.toSorted()]),
    ]);
    await attacked.expectShutOut();
  });

  test('attack: a leaked login comments on itself in a loop, in vain', async () => {
    await using attacked = await openAttacked(server);
    const loops = await attacked.inALoop(async (client) => {
      await client
        .query(`BEGIN; COMMENT ON ROLE ${quoteIdentifier(attacked.leaked.username)} IS 'mine'`)
        .catch(ignoreRefusal);
      await client.query('ROLLBACK');
    });
    await attacked.expectShutOut();
    await loops.ended;
  });

  test('attack: a leaked login keeps ALTER ROLE self in an open transaction, and an emergency ends that session', async () => {
    await using attacked = await openAttacked(server);
    const attacker = await attacked.session();
    await attacker.query(`BEGIN; ${alterSelf(attacked.leaked)}`);
    const { pid } = (await attacker.query('SELECT pg_backend_pid() AS pid')).rows[0];
    const { rotation } = await attacked.expectShutOut();
    const events = await attacked.scenario.ledger.events([rotation.id]);
    const ended = events.flatMap(({ fact }) =>
      fact?.code === 'revoke-ends-lock-holders' ? fact.params.holders : [],
    );
    expect(ended.filter((holder) => holder.pid === pid)).toMatchObject([
      { login: attacked.leaked.username, state: 'idle in transaction' },
    ]);
  });

  test('attack: three sessions alter their login and come back at once when they are ended, in vain', async () => {
    await using attacked = await openAttacked(server);
    const loops = await attacked.inALoop(async (client) => {
      await client.query(`BEGIN; ${alterSelf(attacked.leaked)}`);
      await client.query('SELECT pg_sleep(3600)');
    });
    await attacked.expectShutOut();
    await loops.ended;
  });

  test('attack: three sessions alter their login, and then wait for the rotator so that it waits for them, in vain', async () => {
    await using attacked = await openAttacked(server);
    const loops = await attacked.inALoop(async (client) => {
      await client.query(`BEGIN; ${alterSelf(attacked.leaked)}`);
      await client
        .query(`COMMENT ON ROLE ${quoteIdentifier(attacked.leaked.username)} IS 'mine'`)
        .catch(ignoreRefusal);
      await client.query('ROLLBACK');
    });
    await attacked.expectShutOut();
    await loops.ended;
  });

  test('attack: a session holds its row and waits for the lock of the rotator, which finds the deadlock and ends it', async () => {
    await using attacked = await openAttacked(server);
    const attacker = await attacked.session();
    await attacker.query(`SET deadlock_timeout = '1h'`).catch(ignoreRefusal);
    await attacker.query(`BEGIN; ${alterSelf(attacked.leaked)}`);
    const trap = (async () => {
      // Again and again: refused each time, until the rotator has the lock.
      for (;;) {
        await attacker.query('SAVEPOINT trap');
        await attacker
          .query(`COMMENT ON ROLE ${quoteIdentifier(attacked.leaked.username)} IS 'mine'`)
          .catch(ignoreRefusal);
        await attacker.query('ROLLBACK TO SAVEPOINT trap');
      }
    })().catch(() => {});
    await attacked.expectShutOut();
    await trap;
  });

  test('attack: three sessions alter their login without end, so that every other change of it is overtaken, in vain', async () => {
    await using attacked = await openAttacked(server);
    const loops = await attacked.inALoop(async (client) => {
      for (;;) await client.query(alterSelf(attacked.leaked)).catch(ignoreOvertaken);
    });
    await attacked.expectShutOut();
    await loops.ended;
  });

  test('attack: a leaked login makes itself differ from the other one, which an emergency only warns of', async () => {
    await using attacked = await openAttacked(server);
    const attacker = await attacked.session();
    await attacker.query(`ALTER ROLE ${quoteIdentifier(attacked.leaked.username)} SET statement_timeout = 1`);
    const { rotation } = await attacked.expectShutOut();
    const events = await attacked.scenario.ledger.events([rotation.id]);
    const [difference] = events.flatMap(({ kind, fact }) =>
      kind === 'warning' && fact?.code === 'logins-differ' ? fact.params.differences : [],
    );
    expect(difference).toEqual({
      kind: 'setting',
      login: attacked.leaked.username,
      other: attacked.scenario.policy.logins.find((login) => login !== attacked.leaked.username),
      setting: { database: null, name: 'statement_timeout', value: '1' },
    });
  });

  test('attack: ALTER ROLE self in a prepared transaction is named with its gid and the statement that ends it', async () => {
    await using attacked = await openAttacked(server);
    const { scenario, leaked } = attacked;
    const attacker = await attacked.session();
    const gid = `it's ${leaked.username}`;
    await attacker.query(`BEGIN; ${alterSelf(leaked)}; PREPARE TRANSACTION ${pg.escapeLiteral(gid)}`);
    const rotation = await scenario.request('emergency');
    await expect
      .poll(() => scenario.run(rotation))
      .toMatchObject(
        notRevoked(leaked.username, {
          code: 'login-row-locked',
          params: {
            login: leaked.username,
            holders: [{ pid: null, login: leaked.username, prepared: { gid } }],
          },
          remedies: [sql(`ROLLBACK PREPARED ${pg.escapeLiteral(gid)}`)],
        }),
      );
    // The new one is in use all the same.
    await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
    expect(await scenario.ledger.find(rotation.id)).toMatchObject({
      status: 'open',
      lastFault: { code: 'login-not-revoked-yet', params: { login: leaked.username } },
    });

    const stuck = await scenario.ledger.find(rotation.id);
    await runStatements(attacked.admin, factNamed('login-row-locked', [stuck?.lastFault]));
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    await attacked.expectRefused();
  });

  test('attack: ALTER ROLE self is open past the deadline of a drain, and is ended as the policy says (G2)', async () => {
    await using attacked = await openAttacked(server, { timeout: 500 });
    const attacker = await attacked.session();
    await attacker.query(`BEGIN; ${alterSelf(attacked.leaked)}`);
    const rotation = await attacked.scenario.request('manual');
    expect(await attacked.scenario.finish(rotation)).toEqual({ status: 'done' });
    await attacked.expectRefused();
  });

  test('an administrator who alters the login is named, and not ended', async () => {
    await using attacked = await openAttacked(server);
    const { scenario, admin, leaked } = attacked;
    const { pid } = (await admin.query('SELECT pg_backend_pid() AS pid')).rows[0];
    await admin.query(`BEGIN; ALTER ROLE ${quoteIdentifier(leaked.username)} CONNECTION LIMIT 7`);
    const rotation = await scenario.request('emergency');
    await expect
      .poll(() => scenario.run(rotation))
      .toMatchObject(
        notRevoked(leaked.username, {
          code: 'login-row-locked',
          params: { holders: [{ pid, login: server.user, since: expect.any(String) }] },
        }),
      );
    await admin.query('ROLLBACK');
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  });
});

/** An emergency that is tried again, because something keeps the login from being altered. */
function notRevoked(login: string, cause: object) {
  return {
    status: 'retrying',
    error: { step: 'revoke', fact: { code: 'login-not-revoked-yet', params: { login, cause } } },
  };
}

interface Attacked extends AsyncDisposable {
  /** Its rotator is no superuser. */
  readonly scenario: Scenario;
  readonly admin: pg.Client;
  readonly leaked: { readonly username: string; readonly password: string };
  /** A session of the leaked login. */
  session(): Promise<pg.Client>;
  /** Acts in three sessions of the leaked login, each of which comes back until the login is refused. */
  inALoop(act: (client: pg.Client) => Promise<unknown>): Promise<{ readonly ended: Promise<unknown> }>;
  /** An emergency shuts the leaked login out in time. */
  expectShutOut(): Promise<{ rotation: Awaited<ReturnType<Scenario['request']>> }>;
  expectRefused(): Promise<void>;
}

async function openAttacked(
  server: PostgresServer,
  drain: { readonly timeout?: number } = {},
): Promise<Attacked> {
  const opened = await openScenario(server, {
    policy: { drain: { grace: 0, timeout: 600_000, onTimeout: 'terminate', ...drain } },
  });
  const role = await withLimitedRotator(opened);
  const scenario = role.limited;
  expect(await scenario.finish(await scenario.request('first'))).toEqual({ status: 'done' });
  const leaked = await scenario.published();
  const sessions: pg.Client[] = [];
  let over = false;

  async function session(): Promise<pg.Client> {
    const client = new pg.Client({
      ...server,
      database: scenario.connection.database,
      user: leaked.username,
      password: leaked.password,
    });
    client.on('error', () => {});
    await client.connect();
    sessions.push(client);
    return client;
  }

  async function expectRefused(): Promise<void> {
    await expect(session()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
    const { rows } = await opened.admin.query('SELECT rolcanlogin AS may FROM pg_roles WHERE rolname = $1', [
      leaked.username,
    ]);
    expect(rows).toEqual([{ may: false }]);
  }

  return {
    scenario,
    admin: opened.admin,
    leaked,
    session,
    async inALoop(act) {
      const loops = [1, 2, 3].map(async () => {
        let client: pg.Client | undefined;
        while (!over) {
          try {
            client ??= await session();
            await act(client);
          } catch (error) {
            // Shut out. Until then it comes back.
            if (client === undefined && (error as { code?: string }).code?.startsWith('28')) return;
            await client?.end().catch(() => {});
            client = undefined;
          }
        }
      });
      await expect
        .poll(async () => {
          const { rows } = await opened.admin.query(
            'SELECT count(*)::int AS sessions FROM pg_stat_activity WHERE usename = $1 AND query <> $$$$',
            [leaked.username],
          );
          return rows[0].sessions;
        })
        .toBe(3);
      return { ended: Promise.all(loops) };
    },
    async expectShutOut() {
      const begun = Date.now();
      const rotation = await scenario.request('emergency');
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      await expectRefused();
      expect(Date.now() - begun).toBeLessThan(BOUND_MS);
      return { rotation };
    },
    expectRefused,
    async [Symbol.asyncDispose]() {
      over = true;
      for (const client of sessions) await client.end().catch(() => {});
      await opened.admin.query('ROLLBACK').catch(() => {});
      await role[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

function alterSelf({ username, password }: { readonly username: string; readonly password: string }): string {
  return `ALTER ROLE ${quoteIdentifier(username)} PASSWORD ${pg.escapeLiteral(password)}`;
}

function ignoreRefusal(error: { code?: string }): void {
  if (error.code !== '42501') throw error;
}

function ignoreOvertaken(error: { code?: string }): void {
  if (error.code !== 'XX000') throw error;
}

import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { command, sql } from '../../src/facts/remedy.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { canLogIn, draining, warningsOf } from '../support/draining.ts';
import { haveOlderVersions, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { startReplica } from '../support/replica.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { storeWith } from '../support/store-with.ts';

const SERVERS = [
  ['PostgreSQL 18', undefined, true],
  ['PostgreSQL 14', 14, haveOlderVersions],
] as const;

/** A rotation that drains, since the login that goes out has a session. */
async function drain(scenario: Scenario) {
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  const before = await scenario.published();
  const session = await scenario.logIn(before);
  const rotation = await scenario.request();
  expect(await scenario.run(rotation)).toMatchObject({ status: 'waiting' });
  return { before, session, rotation, after: await scenario.published() };
}

async function expectHealed(scenario: Scenario, rotation: Rotation, repairs: string[]): Promise<void> {
  expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
  const { incoming, outgoing } = (await scenario.ledger.find(rotation.id)) ?? {};
  expect((await scenario.published()).username).toBe(incoming);
  expect(await canLogIn(scenario, String(outgoing))).toBe(false);
  expect(await warningsOf(scenario, rotation)).toMatchObject([setAgain(incoming, repairs)]);
}

/** The warning that a login got its published password again, and what else lets it in. */
function setAgain(login: unknown, repairs: string[]) {
  return { code: 'password-set-again', params: { login, destination: 'files (primary)', repairs } };
}

describe.each(SERVERS)(
  'On %s, where the published login is refused while the old one drains,',
  (_name, version, available) => {
    const it = test.skipIf(!available);
    let server: PostgresServer;
    let scenario: Scenario;
    beforeAll(async () => {
      if (available) server = await startPostgres(version ? { version } : {});
    });
    afterAll(() => server?.[Symbol.asyncDispose]());
    beforeEach(async () => {
      if (available) scenario = draining(await openScenario(server), {});
    });
    afterEach(() => scenario?.[Symbol.asyncDispose]());
    const alter = (login: string, clause: string) =>
      scenario.admin.query(`ALTER ROLE ${quoteIdentifier(login)} ${clause}`);

    it.each<[clause: string, repairs: string[]]>([
      ['NOLOGIN', ['LOGIN']],
      ["PASSWORD 'another'", []],
      ["VALID UNTIL '2001-01-01'", ["VALID UNTIL 'infinity'"]],
      ['CONNECTION LIMIT 0', ['CONNECTION LIMIT -1']],
    ])('by %s, it is let in again before the old one is shut out (G1, G2)', async (clause, repairs) => {
      const { session, rotation, after } = await drain(scenario);
      await alter(after.username, clause);
      await session[Symbol.asyncDispose]();
      await expectHealed(scenario, rotation, repairs);
      expect(await scenario.published()).toEqual(after);
    });

    it('since it was dropped, the old one stays, and all goes on once it is made anew (G1, G2)', async () => {
      const { before, session, rotation, after } = await drain(scenario);
      await scenario.admin.query(`DROP ROLE ${quoteIdentifier(after.username)}`);
      await session[Symbol.asyncDispose]();
      const stuck = await scenario.run(rotation);
      expect(stuck).toMatchObject({ status: 'retrying', error: { step: 'revoke' } });
      expect((await scenario.ledger.find(rotation.id))?.lastFault).toEqual({
        code: 'published-login-dropped',
        params: { destination: 'files (primary)', login: after.username, outgoing: before.username },
        remedies: [command('roles', 'create', scenario.policy.name)],
      });
      await (await scenario.logIn(before))[Symbol.asyncDispose]();
      await scenario.admin.query(`CREATE ROLE ${quoteIdentifier(after.username)} NOLOGIN`);
      await expectHealed(scenario, rotation, ['LOGIN']);
    });

    it('for want of CONNECT, the old one stays, and the message has the statement (G1, G2)', async () => {
      const { before, session, rotation, after } = await drain(scenario);
      const database = quoteIdentifier(scenario.connection.database);
      await scenario.admin.query(`REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
      await session[Symbol.asyncDispose]();
      expect(await scenario.run(rotation)).toMatchObject({
        status: 'retrying',
        error: {
          step: 'revoke',
          fact: {
            code: 'privilege-missing',
            remedies: [sql(`GRANT CONNECT ON DATABASE ${database} TO ${quoteIdentifier(after.username)}`)],
          },
        },
      });
      expect(await canLogIn(scenario, before.username)).toBe(true);
      await scenario.admin.query(`GRANT CONNECT ON DATABASE ${database} TO PUBLIC`);
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      await (await scenario.logIn(after))[Symbol.asyncDispose]();
    });

    it('and somebody shut the old one as well, the new one is let in before the rotation is done (G1)', async () => {
      const { before, session, rotation, after } = await drain(scenario);
      await session[Symbol.asyncDispose]();
      await alter(after.username, 'NOLOGIN');
      await alter(before.username, 'NOLOGIN');
      await expectHealed(scenario, rotation, ['LOGIN']);
    });

    it('only because as many are logged in as its limit lets in, the old one is shut out (G2)', async () => {
      for (const login of scenario.policy.logins) await alter(login, 'CONNECTION LIMIT 2');
      const { session, rotation, after } = await drain(scenario);
      await using _one = await scenario.logIn(after);
      await using _two = await scenario.logIn(after);
      await session[Symbol.asyncDispose]();
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      expect(await warningsOf(scenario, rotation)).toEqual([]);
    });

    it('an old one that was dropped is revoked (G2)', async () => {
      const { before, session, rotation, after } = await drain(scenario);
      await session[Symbol.asyncDispose]();
      await scenario.admin.query(`DROP ROLE ${quoteIdentifier(before.username)}`);
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      await (await scenario.logIn(after))[Symbol.asyncDispose]();
    });

    it('the way back lets the login in that it goes back to (G1)', async () => {
      const { before, session, rotation } = await drain(scenario);
      const turned = await scenario.ledger.rollBack(rotation.id, {
        requestedBy: 'margaret',
        to: await previousToken(scenario),
      });
      await alter(before.username, "PASSWORD 'another'");
      await session[Symbol.asyncDispose]();
      if (!turned) throw new Error('it was not turned round');
      expect(await scenario.finish(turned)).toEqual({ status: 'rolled back' });
      expect(await scenario.published()).toEqual(before);
      await (await scenario.logIn(before))[Symbol.asyncDispose]();
    });
  },
);

async function previousToken({ destinations: [{ store, secrets }] }: Scenario): Promise<string> {
  return String((await store.read(secrets, 'previous'))?.token);
}

test('A file store asks for the lock right before the rename, and a worker that lost it publishes nothing (G1)', async () => {
  await using scenario = draining(await openScenario(inject('postgres')), {});
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  const app = join(scenario.folder, 'app');
  const before = await readlink(join(app, '..data'));
  const seen: unknown[] = [];
  const [primary] = scenario.destinations;
  const store = storeWith(primary.store, {
    promote: (mapping, token, options) =>
      primary.store.promote(mapping, token, {
        ...options,
        async confirm() {
          const drafts = (await readdir(app)).filter((name) => name.startsWith('..draft-'));
          seen.push([await readlink(join(app, '..data')), drafts.length]);
          // The first time the lock is lost here, as while a mount hangs.
          if (seen.length === 1) await endRotators(scenario);
          await options?.confirm?.();
        },
      }),
  });
  const losing = scenario.with({ destinations: [{ ...primary, store }] });
  const rotation = await losing.request();
  expect(await losing.run(rotation)).toMatchObject({
    status: 'retrying',
    error: { step: 'publish', fact: { code: 'lock-lost' } },
  });
  expect(seen).toEqual([[before, 1]]);
  expect(await readlink(join(app, '..data'))).toBe(before);
  await (await scenario.logIn(await scenario.published()))[Symbol.asyncDispose]();
  expect(await losing.finish(rotation)).toEqual({ status: 'done' });
  expect(seen).toEqual([
    [before, 1],
    [before, 1],
  ]);
  expect(await readlink(join(app, '..data'))).toBe(`..version-${rotation.id}`);
});

/** As idle_in_transaction_session_timeout does. */
async function endRotators({ admin }: Scenario): Promise<void> {
  await admin.query(
    `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name = 'keyturn rotator'
        AND state LIKE 'idle in transaction%'`,
  );
}

describe.each(SERVERS)('On %s,', (_name, version, available) => {
  const it = test.skipIf(!available);

  it('a crash right after publish takes nothing back, though the server commits asynchronously (G1, G2)', async () => {
    await using server = await startPostgres({
      ...(version ? { version } : {}),
      settings: { synchronous_commit: 'off', wal_writer_delay: '10s' },
    });
    await using scenario = draining(await openScenario(server), {});
    const { rotation, after } = await drain(scenario);
    await server.stop('immediate');
    await server.start();
    await (await scenario.logIn(after))[Symbol.asyncDispose]();
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, rotation)).toEqual([]);
    await (await scenario.logIn(after))[Symbol.asyncDispose]();
  });

  it('a replica that is promoted without the last ALTER ROLE lets the published login in before the old one is shut out (G1, G2)', async () => {
    await using primary = await startPostgres(version ? { version } : {});
    await using replica = await startReplica(primary);
    await using scenario = draining(await openScenario(primary), {});
    // The ledger outlives the primary.
    await using kept = await openScenario(inject('postgres'));
    const here = scenario.with({ ledger: kept.ledger });
    expect(await here.finish(await here.request())).toEqual({ status: 'done' });
    await replica.catchUp();
    await replica.stop('fast');
    const before = await here.published();
    const session = await here.logIn(before);
    const rotation = await here.request();
    expect(await here.run(rotation)).toMatchObject({ status: 'waiting' });
    await session[Symbol.asyncDispose]();
    await primary.stop('immediate');
    await replica.start();
    await replica.promote();
    const there = here.with({ connection: { ...here.connection, port: replica.port } });
    const after = await there.published();
    await expect(there.logIn(after)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
    expect(await there.finish(rotation)).toEqual({ status: 'done' });
    await (await there.logIn(after))[Symbol.asyncDispose]();
    await expect(there.logIn(before)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
    expect(await warningsOf(there, rotation)).toMatchObject([setAgain(after.username, ['LOGIN'])]);
    await primary.start();
  });
});

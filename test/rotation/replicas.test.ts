import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Fact } from '../../src/facts/fact.ts';
import { sql } from '../../src/facts/remedy.ts';
import type { NotReplayed } from '../../src/facts/rotation/use-facts.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifier.ts';
import { allUsesOf } from '../../src/roles/all-uses-of.ts';
import { plan } from '../../src/rotation/plan.ts';
import { rollBack } from '../../src/rotation/roll-back.ts';
import type { Outcome } from '../../src/rotation/rotate.ts';
import { policyStatus } from '../../src/rotation/status.ts';
import { adminOf } from '../support/admin.ts';
import { canLogIn, draining, warningsOf } from '../support/draining.ts';
import { checkRefused, endingOf, shopSession, waitingFor } from '../support/expected-facts.ts';
import { logInAs, type OldClient } from '../support/old-client.ts';
import { onLine } from '../support/on-line.ts';
import { havePgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import {
  freePort,
  haveOlderVersions,
  type OlderVersion,
  type PostgresServer,
  startPostgres,
} from '../support/postgres-server.ts';
import { type ReplicaServer, startReplica } from '../support/replica.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import { MAPPING, openScenario, type Scenario } from '../support/scenario.ts';
import { skippingClock } from '../support/skipping-clock.ts';

type Credential = Awaited<ReturnType<Scenario['published']>>;

let server: PostgresServer;
let replica: ReplicaServer;
let scenario: Scenario;
/** How facts name the replica. */
let place: string;

async function openServers(version?: OlderVersion): Promise<void> {
  server = await startPostgres(version ? { version } : {});
  replica = await startReplica(server);
  place = `127.0.0.1:${replica.port}`;
}

async function closeServers(): Promise<void> {
  await replica[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
}

/** A policy whose first login is published, on a connection with the replica. */
async function openReplicated(): Promise<Scenario> {
  const opened = replicated(await openScenario(server), [replica]);
  await replica.catchUp();
  await opened.finish(await opened.request());
  return opened;
}

function replicated(from: Scenario, replicas: readonly { readonly port: number }[]): Scenario {
  return from.with({
    connection: {
      ...from.connection,
      replicas: replicas.map(({ port }) => ({ host: '127.0.0.1', port, tls: { mode: 'disable' } })),
    },
  });
}

function logInThere(credential: Credential, options = {}): Promise<OldClient> {
  return logInAs(scenario, credential, { port: replica.port, ...options });
}

async function expectRefusedThere(credential: Credential): Promise<void> {
  await expect(logInThere(credential)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
}

function isAlive({ client }: OldClient): Promise<boolean> {
  return client.query('SELECT 1').then(
    () => true,
    () => false,
  );
}

async function countThere(login: string): Promise<number> {
  await using admin = await adminOf(replica);
  const { rows } = await admin.client.query('SELECT FROM pg_stat_activity WHERE usename = $1', [login]);
  return rows.length;
}

/** A rotation that drains, since the old login has a session on the primary. */
async function whileDraining(from: Scenario): Promise<{
  readonly old: Credential;
  readonly session: OldClient;
  readonly rotation: Rotation;
}> {
  const old = await from.published();
  const session = await logInAs(from, old);
  const rotation = await from.request();
  // It may wait for the new password to be replayed before.
  while (waitOf(await from.run(rotation)).code !== 'drain-waiting-for-sessions') await replica.catchUp();
  return { old, session, rotation };
}

/** What it waits for; throws when it does not wait. */
function waitOf(outcome: Outcome): Fact {
  if (outcome.status === 'waiting') return outcome.fact;
  throw new Error(`the rotation does not wait but is ${outcome.status}`, { cause: outcome });
}

/** The wait for the replica while its replay is paused. */
function catchingUp(login: string, missing: NotReplayed) {
  const behind = expect.stringMatching(/^\d+ \S+$/);
  const replicas = [{ replica: place, standby: true, paused: true, behind }];
  return { code: 'replicas-catching-up', params: { login, missing, replicas } };
}

/** A fault of a replica that is down, by default the one. */
function unreachable(name = place) {
  const params = {
    place: expect.stringContaining(`@${name}/`),
    detail: expect.stringContaining('ECONNREFUSED'),
    replica: { name, connection: 'target' },
  };
  return { code: 'server-unreachable', params };
}

/** An idle session of `logInAs` on the replica. */
function sessionThere() {
  return shopSession({ replica: place });
}

async function statusOf(from: Scenario, rotation: Rotation) {
  const row = await from.ledger.find(rotation.id);
  if (!row) throw new Error('the rotation is gone');
  await using context = from.context(row);
  await from.ledger.see([from.policy.name]);
  const timing = await from.ledger.timing(from.policy.name);
  // Awaited before the context is closed.
  return await policyStatus(from.policy, { last: row, lastDoneAt: null }, { timing, context });
}

describe.each([
  ['the embedded version', undefined, true],
  ['PostgreSQL 14', 14, haveOlderVersions],
] as const)('on %s', (_name, version, isThere) => {
  beforeAll(() => (isThere ? openServers(version) : undefined));
  afterAll(() => (isThere ? closeServers() : undefined));

  test.skipIf(!isThere)(
    'a session on a replica holds the drain, is named with its place, and is cut at the deadline, not before (G2)',
    async () => {
      scenario = await openReplicated();
      await using _scenario = scenario;
      await using role = await withLimitedRotator(scenario);
      const short = draining(role.limited, { timeout: 6_000 });
      const old = await scenario.published();
      await using session = await logInThere(old);
      await replica.catchUp();
      const uses = await allUsesOf(scenario.admin, scenario.connection, [old.username]);
      expect(uses).toMatchObject([
        { login: old.username, sessions: [sessionThere()], prepared: [], clients: [] },
      ]);
      const rotation = await short.request();
      let outcome = await short.run(rotation);
      // It may wait for the new password to be replayed before.
      while (waitOf(outcome).code !== 'drain-waiting-for-sessions') outcome = await short.run(rotation);
      expect(waitOf(outcome)).toMatchObject(waitingFor(old.username, [sessionThere()]));
      expect(await canLogIn(scenario, old.username)).toBe(true);
      await session.client.query('SELECT 1');
      expect(await short.finish(rotation)).toEqual({ status: 'done' });
      await expect(session.client.query('SELECT 1')).rejects.toThrow();
      expect(await countThere(old.username)).toBe(0);
      await expectRefusedThere(old);
      await using _new = await logInThere(await scenario.published());
      expect(await warningsOf(scenario, rotation)).toMatchObject([endingOf(old.username, [sessionThere()])]);
      const events = await scenario.ledger.events([rotation.id]);
      const cutAt = events.find(({ kind }) => kind === 'warning')?.at.getTime() ?? 0;
      const publishedAt = (await scenario.ledger.find(rotation.id))?.publishedAt?.getTime() ?? Infinity;
      expect(cutAt - publishedAt).toBeGreaterThanOrEqual(6_000);
    },
  );
});

describe.skipIf(!havePgBouncer)('with a PgBouncer before the replica', () => {
  beforeAll(() => openServers());
  afterAll(closeServers);

  test('a drain does not wait for what PgBouncer keeps there of clients that have left, and revoke ends it (G2)', async () => {
    scenario = await openReplicated();
    await using _scenario = scenario;
    const entry = `host=127.0.0.1 port=${replica.port}`;
    await using bouncer = await startPgBouncer(scenario, {}, { entry });
    await replica.catchUp();
    const own = draining(bouncer.scenario, { timeout: 100_000 });
    const old = await scenario.published();
    const { host, port } = bouncer.console;
    const client = await logInAs(scenario, old, { host, port });
    await client.client.query('SELECT 1');
    const rotation = await own.request();
    let outcome = await own.run(rotation);
    // It may wait for the new password to be replayed before.
    while (waitOf(outcome).code !== 'drain-waiting-for-sessions') outcome = await own.run(rotation);
    expect(waitOf(outcome)).toMatchObject({
      params: { sessions: [sessionThere()], clients: [{ clients: 1 }] },
    });
    await client[Symbol.asyncDispose]();
    expect(await countThere(old.username)).toBe(1);
    expect(await own.finish(rotation)).toEqual({ status: 'done' });
    expect(await countThere(old.username)).toBe(0);
    expect(await warningsOf(scenario, rotation)).toEqual([]);
  });
});

describe('with a replica', () => {
  beforeAll(() => openServers());
  afterAll(() => closeServers());
  beforeEach(async () => {
    scenario = await openReplicated();
  });
  afterEach(async () => {
    await replica.resume();
    await scenario[Symbol.asyncDispose]();
  });

  describe('whose replay lags,', () => {
    test.each([
      ['cannot log in', async () => {}],
      [
        'has another password',
        async (login: string) => {
          await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(login)} LOGIN PASSWORD 'by-hand'`);
          await replica.catchUp();
        },
      ],
    ])(
      'nothing is published while the incoming login %s there, and it goes on by itself (G1)',
      async (_, prepare) => {
        const before = await scenario.published();
        const standby = scenario.policy.logins.find((login) => login !== before.username) ?? '';
        await prepare(standby);
        await replica.pause();
        const rotation = await scenario.request();
        for (let look = 0; look < 3; look += 1) {
          expect(await scenario.run(rotation)).toMatchObject({
            status: 'waiting',
            fact: catchingUp(standby, 'password'),
          });
          expect(await scenario.published()).toEqual(before);
          await using _session = await logInThere(before);
        }
        await replica.resume();
        expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
        const after = await scenario.published();
        expect(after.username).toBe(standby);
        await using _session = await logInThere(after);
      },
    );

    test('revoke is not done before the replica has replayed it (G2)', async () => {
      const patient = draining(scenario, {});
      const { old, session, rotation } = await whileDraining(patient);
      await replica.pause();
      await session[Symbol.asyncDispose]();
      await expect
        .poll(() => patient.run(rotation))
        .toMatchObject({
          status: 'waiting',
          fact: catchingUp(old.username, 'nologin'),
        });
      expect(await canLogIn(scenario, old.username)).toBe(false);
      for (let look = 0; look < 3; look += 1) {
        expect(await patient.run(rotation)).toMatchObject({ status: 'waiting' });
        const late = await logInThere(old);
        await late[Symbol.asyncDispose]();
      }
      await replica.resume();
      expect(await patient.finish(rotation)).toEqual({ status: 'done' });
      await expectRefusedThere(old);
    });

    test('an emergency cuts at once on the primary, and on the replica once nobody can come back (G2)', async () => {
      const old = await scenario.published();
      await using here = await logInAs(scenario, old);
      await using there = await logInThere(old);
      const lagging = scenario.with({
        ledger: onLine(scenario.ledger, {
          async before({ step, kind }) {
            if (step === 'publish' && kind === 'done') await replica.pause();
          },
        }),
      });
      const rotation = await lagging.request('emergency');
      const isLeft = ({ code, params }: Fact) =>
        code === 'replicas-catching-up' && params.missing === 'nologin';
      let outcome = await lagging.run(rotation);
      while (!isLeft(waitOf(outcome))) outcome = await lagging.run(rotation);
      await expect.poll(() => isAlive(here)).toBe(false);
      expect(await scenario.run(rotation)).toMatchObject({ status: 'waiting' });
      await there.client.query('SELECT 1');
      await replica.resume();
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
      await expect(there.client.query('SELECT 1')).rejects.toThrow();
      const warnings = await warningsOf(scenario, rotation);
      expect(warnings).toMatchObject([
        endingOf(old.username, [shopSession()]),
        endingOf(old.username, [sessionThere()]),
      ]);
      expect(JSON.stringify(warnings[0])).not.toContain(place);
    });

    test('a minute of it is a fault that status shows with what to do, told once, until it replays (G2)', async () => {
      const clock = skippingClock();
      const patient = draining(scenario, { timeout: 24 * 3_600_000 }).with({ clock });
      const { old, session, rotation } = await whileDraining(patient);
      await replica.pause();
      await session[Symbol.asyncDispose]();
      const outcomes = [];
      for (const end = clock.now() + 600_000; clock.now() < end; ) {
        const outcome = await patient.run(rotation);
        outcomes.push(outcome);
        if ('until' in outcome) clock.skipTo(outcome.until);
      }
      expect(outcomes.filter((outcome) => 'isNews' in outcome && outcome.isNews)).toHaveLength(1);
      expect(outcomes.at(-1)).toMatchObject({ status: 'retrying', error: { step: 'revoke' } });
      expect(await statusOf(patient, rotation)).toMatchObject({
        state: 'retrying',
        faults: [],
        lastFailure: {
          rotation: rotation.id,
          failedAt: null,
          fault: {
            code: 'replicas-behind',
            params: {
              login: old.username,
              missing: 'nologin',
              replicas: [{ replica: place, standby: true, paused: true }],
            },
            remedies: [
              { kind: 'config', path: 'connections.target.replicas' },
              { kind: 'sql', statements: ['SELECT pg_catalog.pg_wal_replay_resume()'] },
            ],
          },
        },
      });
      // As the remedy says.
      await using admin = await adminOf(replica);
      await admin.client.query('SELECT pg_catalog.pg_wal_replay_resume()');
      await replica.catchUp();
      let outcome = await patient.run(rotation);
      while ('until' in outcome) {
        clock.skipTo(outcome.until);
        outcome = await patient.run(rotation);
      }
      expect(outcome).toEqual({ status: 'done' });
    });

    test('before publish it is waited for as long as retryFor, and then changes nothing (G5)', async () => {
      const clock = skippingClock();
      const { policy } = scenario;
      const bounded = scenario.with({
        clock,
        policy: { ...policy, retryFor: 300_000 },
      });
      const before = await scenario.published();
      await replica.pause();
      const rotation = await bounded.request();
      let outcome = await bounded.run(rotation);
      while ('until' in outcome) {
        clock.skipTo(outcome.until);
        outcome = await bounded.run(rotation);
      }
      expect(clock.now() - rotation.requestedAt.getTime()).toBeGreaterThanOrEqual(300_000);
      expect(outcome).toMatchObject({
        status: 'failed',
        error: {
          step: 'verify',
          fact: {
            code: 'replicas-behind',
            params: {
              login: policy.logins.find((login) => login !== before.username),
              missing: 'password',
              replicas: [{ replica: place, standby: true, paused: true }],
            },
          },
        },
      });
      expect(await scenario.published()).toEqual(before);
      expect(await scenario.store.read(MAPPING, 'pending')).toBeUndefined();
      const [incoming = ''] = policy.logins.filter((login) => login !== before.username);
      expect(await canLogIn(scenario, incoming)).toBe(false);
      await using _session = await logInThere(before);
    });
  });

  describe('that is down,', () => {
    afterEach(async () => {
      // It may run already.
      await replica.stop('fast');
      await replica.start();
    });

    test('the drain is an error and not a zero, status names it, and it recovers by itself (G6)', async () => {
      const patient = draining(scenario, {});
      const { old, session, rotation } = await whileDraining(patient);
      await replica.stop('immediate');
      await session[Symbol.asyncDispose]();
      expect(await patient.run(rotation)).toMatchObject({
        status: 'retrying',
        error: { step: 'drain', fact: unreachable() },
      });
      expect(await canLogIn(scenario, old.username)).toBe(true);
      expect(await statusOf(patient, rotation)).toMatchObject({
        state: 'retrying',
        sessions: null,
        faults: [unreachable()],
      });
      await replica.start();
      expect(await patient.finish(rotation)).toEqual({ status: 'done' });
    });

    test('revoke shuts the login and ends its sessions elsewhere, but is not done until it is back or removed (G2, G6)', async () => {
      const short = draining(scenario, { timeout: 6_000 });
      const old = await scenario.published();
      await using here = await logInAs(scenario, old);
      await using there = await logInThere(old);
      const rotation = await short.request();
      await expect
        .poll(() => short.run(rotation))
        .toMatchObject({
          fact: waitingFor(old.username, [shopSession(), sessionThere()]),
        });
      // One more replica, which never was: the one that is there is cleared all the same.
      const gone = { port: await freePort() };
      const both = replicated(short, [gone, replica]);
      await expect
        .poll(async () => {
          await both.run(rotation);
          return isAlive(there);
        })
        .toBe(false);
      await expect.poll(() => isAlive(here)).toBe(false);
      expect(await canLogIn(scenario, old.username)).toBe(false);
      expect(await both.run(rotation)).toMatchObject({
        status: 'retrying',
        error: { step: 'revoke', fact: unreachable(`127.0.0.1:${gone.port}`) },
      });
      expect(await scenario.ledger.find(rotation.id)).toMatchObject({ status: 'open' });
      expect(await short.finish(rotation)).toEqual({ status: 'done' });
    });

    test('check waits for it before anything is changed (G5)', async () => {
      const before = await scenario.published();
      await replica.stop('immediate');
      const rotation = await scenario.request();
      expect(await scenario.run(rotation)).toMatchObject({
        status: 'retrying',
        error: { step: 'check', fact: unreachable() },
      });
      expect(await scenario.published()).toEqual(before);
      expect(await scenario.store.read(MAPPING, 'pending')).toBeUndefined();
      const [incoming = ''] = scenario.policy.logins.filter((login) => login !== before.username);
      expect(await canLogIn(scenario, incoming)).toBe(false);
      await replica.start();
      expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    });
  });

  describe('check refuses, changing nothing (G5),', () => {
    async function refusal(from: Scenario): Promise<Fact> {
      const before = await scenario.published();
      const outcome = await from.finish(await from.request());
      expect(outcome).toMatchObject({ status: 'failed', error: { step: 'check' } });
      expect(await scenario.published()).toEqual(before);
      if (outcome.status !== 'failed') throw new Error(`it is ${outcome.status}`);
      return outcome.error.fact;
    }

    test('a replica that is no standby server', async () => {
      expect(await refusal(replicated(scenario, [replica, server]))).toMatchObject(
        checkRefused({
          code: 'replica-not-standby',
          params: { replica: `127.0.0.1:${server.port}`, connection: 'target' },
        }),
      );
    });

    test('a replica of another server', async () => {
      await using other = await startPostgres();
      {
        await using admin = await adminOf(other);
        await admin.client.query(`ALTER ROLE ${server.user} PASSWORD ${quoteLiteral(server.password)}`);
        await admin.client.query(`CREATE DATABASE ${quoteIdentifier(scenario.connection.database)}`);
      }
      await other.demote();
      expect(await refusal(replicated(scenario, [other]))).toMatchObject(
        checkRefused({
          code: 'replica-of-another-server',
          params: {
            replica: `127.0.0.1:${other.port}`,
            connection: 'target',
            server: `127.0.0.1:${server.port}`,
            expected: expect.stringMatching(/^\d+$/),
            found: expect.stringMatching(/^\d+$/),
          },
        }),
      );
    });

    test('an incoming login that is in use on a replica, saying by whom', async () => {
      const before = await scenario.published();
      const [username = ''] = scenario.policy.logins.filter((login) => login !== before.username);
      await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(username)} LOGIN PASSWORD 'by-hand'`);
      await replica.catchUp();
      await using session = await logInThere({ username, password: 'by-hand' });
      expect(await refusal(scenario)).toMatchObject(
        checkRefused({
          code: 'incoming-has-sessions',
          params: { login: username, sessions: [sessionThere()] },
        }),
      );
      await session.client.query('SELECT 1');
    });
  });

  test('whose pg_hba.conf keeps the incoming login out, nothing is published, and it is not taken for a lag (G1, G5)', async () => {
    const before = await scenario.published();
    const [incoming = ''] = scenario.policy.logins.filter((login) => login !== before.username);
    const file = join(replica.server.data, 'pg_hba.conf');
    const rules = await readFile(file, 'utf8');
    await writeFile(file, `host all ${incoming} 127.0.0.1/32 reject\n${rules}`);
    await replica.stop('fast');
    await replica.start();
    expect(await scenario.finish(await scenario.request())).toMatchObject({
      status: 'failed',
      error: {
        step: 'verify',
        fact: {
          code: 'login-refused',
          params: {
            place: expect.stringContaining(`${incoming}@${place}/`),
            because: 'entry',
            detail: expect.stringContaining('pg_hba.conf rejects'),
            replica: { name: place, connection: 'target' },
          },
        },
      },
    });
    expect(await scenario.published()).toEqual(before);
    await writeFile(file, rules);
    await replica.stop('fast');
    await replica.start();
  });

  test('sessions that the rotator may not see there end a rotation, as on the primary (G6)', async () => {
    await using role = await withLimitedRotator(scenario);
    await scenario.admin.query(`REVOKE pg_read_all_stats FROM ${role.rotator}`);
    await replica.catchUp();
    await replica.pause();
    await scenario.admin.query(`GRANT pg_read_all_stats TO ${role.rotator}`);
    expect(await role.limited.run(await role.limited.request())).toMatchObject({
      status: 'failed',
      error: {
        step: 'check',
        fact: {
          code: 'sessions-hidden',
          params: { rotator: role.rotator, replica: { name: place, connection: 'target' } },
          remedies: [sql(`GRANT pg_read_all_stats TO ${role.rotator}`)],
        },
      },
    });
    await replica.resume();
    expect(await role.limited.finish(await role.limited.request())).toEqual({ status: 'done' });
  });

  test('a rollback waits for the new login there, and revokes it there too (G1, G2)', async () => {
    const patient = draining(scenario, {});
    const { old, session, rotation } = await whileDraining(patient);
    const after = await patient.published();
    await using late = await logInThere(after);
    const row = await scenario.ledger.find(rotation.id);
    if (!row) throw new Error('the rotation is gone');
    {
      await using context = patient.context(row);
      await rollBack(context, { requestedBy: 'margaret' });
    }
    expect(await patient.run(rotation)).toMatchObject({
      status: 'waiting',
      fact: waitingFor(after.username, [sessionThere()]),
    });
    expect(await patient.published()).toEqual(old);
    await using _back = await logInThere(old);
    await replica.pause();
    await late[Symbol.asyncDispose]();
    await expect
      .poll(() => patient.run(rotation))
      .toMatchObject({
        status: 'waiting',
        fact: catchingUp(after.username, 'nologin'),
      });
    await replica.resume();
    expect(await patient.finish(rotation)).toEqual({ status: 'rolled back' });
    await expectRefusedThere(after);
    await session.client.query('SELECT 1');
    await session[Symbol.asyncDispose]();
  });

  test('plan names its sessions, and that both passwords have to reach it', async () => {
    const old = await scenario.published();
    await using _session = await logInThere(old);
    await using context = scenario.context(await scenario.request());
    const steps = Object.fromEntries((await plan(context)).map(({ step, fact }) => [step, fact]));
    expect(steps).toMatchObject({
      verify: { code: 'plan-verify', params: { replicas: [place] } },
      drain: {
        code: 'plan-drain',
        params: { login: old.username, sessions: [sessionThere()], prepared: [], clients: [] },
      },
      revoke: { code: 'plan-revoke', params: { login: old.username, replicas: [place] } },
    });
  });
});

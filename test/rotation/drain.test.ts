import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Fact } from '../../src/facts/fact.ts';
import { sql } from '../../src/facts/remedy.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { openUsePoller } from '../../src/postgres/sessions/use-poller.ts';
import { canLogIn, countSessions, draining, warningsOf } from '../support/draining.ts';
import { endingOf, shopSession, waitingFor } from '../support/expected-facts.ts';
import { logInAs } from '../support/old-client.ts';
import { withRotatedScenario } from '../support/rotated-scenario.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import type { Scenario } from '../support/scenario.ts';

let scenario: Scenario;
withRotatedScenario((opened) => {
  scenario = opened;
});

describe('drain', () => {
  test('is over in an emergency, though a clock was corrected right after publish (G2)', async () => {
    // The ledger's clock is a second ahead of that of the next steps.
    const behind = draining(scenario, { grace: 300_000, timeout: 600_000 }).with({
      clock: { now: () => Date.now() - 1_000 },
    });
    const old = await scenario.published();
    await using _session = await scenario.logIn(old);
    expect(await behind.run(await behind.request('emergency'))).not.toMatchObject({
      fact: { code: 'drain-grace' },
    });
    expect(await canLogIn(scenario, old.username)).toBe(false);
  });

  test('cuts an idle pool that never closes at the deadline, not before, and says whom it cut (G2)', async () => {
    const short = draining(scenario, { timeout: 4_000 });
    const old = await scenario.published();
    const pool = new pg.Pool({
      ...scenario.connection,
      user: old.username,
      password: old.password,
      ssl: false,
      application_name: 'shop',
      max: 3,
      idleTimeoutMillis: 0,
    });
    pool.on('error', () => {});
    const held = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
    for (const client of held) {
      client.on('error', () => {});
      client.release();
    }
    const rotation = await short.request();
    const outcome = await short.run(rotation);
    expect(outcome).toMatchObject({
      status: 'waiting',
      fact: waitingFor(old.username, Array(3).fill(shopSession())),
    });
    await pool.query('SELECT 1');
    expect(await short.finish(rotation)).toEqual({ status: 'done' });
    expect(await countSessions(scenario, old.username)).toBe(0);
    expect(await warningsOf(scenario, rotation)).toMatchObject([
      endingOf(old.username, Array(3).fill(shopSession())),
    ]);
    await expect(pool.query('SELECT 1')).rejects.toThrow();
    await pool.end();
  });

  test('lets a transaction of 20 seconds commit (G2)', async () => {
    const patient = draining(scenario, { timeout: 90_000 });
    const old = await scenario.published();
    await using running = await logInAs(scenario, old);
    await running.client.query('BEGIN');
    const work = running.client
      .query('SELECT pg_sleep(20)')
      .then(() => running.client.query('COMMIT'))
      .then(({ command }) => running.client.end().then(() => command));
    const rotation = await patient.request();
    expect(await patient.run(rotation)).toMatchObject({
      status: 'waiting',
      fact: waitingFor(old.username, [shopSession({ state: 'active' })]),
    });
    expect(await patient.finish(rotation)).toEqual({ status: 'done' });
    expect(await work).toBe('COMMIT');
    expect(await warningsOf(scenario, rotation)).toEqual([]);
  });

  test('names a session that is idle in transaction, and alerts once where the policy says wait (G2)', async () => {
    const waiting = draining(scenario, { timeout: 1, onTimeout: 'wait' });
    const old = await scenario.published();
    await using session = await logInAs(scenario, old);
    await session.client.query('BEGIN; SELECT 1');
    const rotation = await waiting.request();
    for (let look = 0; look < 3; look += 1) {
      await sleep(2);
      expect(await waiting.run(rotation)).toMatchObject({
        status: 'waiting',
        fact: {
          code: 'drain-waiting-for-sessions',
          params: {
            login: old.username,
            sessions: [shopSession({ state: 'idle in transaction' })],
            prepared: [],
            clients: [],
          },
        },
      });
    }
    expect(await warningsOf(scenario, rotation)).toMatchObject([
      { step: 'drain', code: 'drain-past-deadline', params: { login: old.username } },
    ]);
    await session.client.query('COMMIT');
    expect(await canLogIn(scenario, old.username)).toBe(true);
    await session[Symbol.asyncDispose]();
    expect(await waiting.finish(rotation)).toEqual({ status: 'done' });
  });

  test('waits for sessions in other databases, and names the database (G2)', async () => {
    const patient = draining(scenario, {});
    const old = await scenario.published();
    await using session = await logInAs(scenario, old, { database: 'postgres' });
    const rotation = await patient.request();
    expect(await patient.run(rotation)).toMatchObject({
      fact: waitingFor(old.username, [shopSession({ database: 'postgres', elsewhere: true })]),
    });
    await session[Symbol.asyncDispose]();
    expect(await patient.finish(rotation)).toEqual({ status: 'done' });
  });

  test('is an error, not a zero, for a rotator that lost pg_read_all_stats meanwhile (G6)', async () => {
    await using role = await withLimitedRotator(scenario);
    const limited = draining(role.limited, {});
    const old = await scenario.published();
    await using session = await logInAs(scenario, old);
    const rotation = await limited.request();
    expect(await limited.run(rotation)).toMatchObject({ status: 'waiting' });
    await scenario.admin.query(`REVOKE pg_read_all_stats FROM ${role.rotator}`);
    await session[Symbol.asyncDispose]();
    expect(await limited.run(rotation)).toMatchObject({
      status: 'retrying',
      error: {
        step: 'drain',
        fact: {
          code: 'sessions-hidden',
          params: { rotator: role.rotator },
          remedies: [sql(`GRANT pg_read_all_stats TO ${role.rotator}`)],
        },
      },
    });
    expect(await canLogIn(scenario, old.username)).toBe(true);
    await scenario.admin.query(`GRANT pg_read_all_stats TO ${role.rotator}`);
    expect(await limited.finish(rotation)).toEqual({ status: 'done' });
  });

  test('takes who is there from a look of another rotation on the connection, and opens no session for it', async () => {
    const shared = draining(scenario, { timeout: 3_000_000 }).with({ poller: openUsePoller(systemClock) });
    const old = await scenario.published();
    await using session = await logInAs(scenario, old);
    const rotation = await shared.request();
    const first = await shared.run(rotation);
    expect(first).toMatchObject({
      status: 'waiting',
      fact: {
        code: 'drain-waiting-for-sessions',
        params: {
          login: old.username,
          sessions: [{ application: 'shop', address: '127.0.0.1', state: 'idle' }],
          pastDeadline: false,
        },
      },
    });
    // With a wrong password it could not ask for itself.
    const locked = shared.with({ connection: { ...shared.connection, password: 'wrong' } });
    expect(await locked.run(rotation)).toMatchObject({
      status: 'waiting',
      fact: (first as { fact: Fact }).fact,
    });
    await session[Symbol.asyncDispose]();
    expect(await draining(scenario, {}).finish(rotation)).toEqual({ status: 'done' });
  });

  test('counts a walsender, and names its replication slot (G2)', async () => {
    for (const login of scenario.policy.logins) {
      await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(login)} REPLICATION`);
    }
    await scenario.admin.query("SELECT pg_create_physical_replication_slot('warehouse', true)");
    const short = draining(scenario, { timeout: 3_000 });
    const old = await scenario.published();
    await using walsender = await logInAs(scenario, old, { replication: 'true' });
    const { rows } = await scenario.admin.query('SELECT pg_current_wal_flush_lsn() AS lsn');
    // Streams until the session ends.
    walsender.client.query(`START_REPLICATION SLOT warehouse PHYSICAL ${rows[0].lsn}`).catch(() => {});
    await expect
      .poll(async () => (await scenario.admin.query('SELECT active FROM pg_replication_slots')).rows)
      .toEqual([{ active: true }]);
    const rotation = await short.request();
    const who = shopSession({ type: 'walsender', slots: ['warehouse'], state: 'active' });
    expect(await short.run(rotation)).toMatchObject({ fact: waitingFor(old.username, [who]) });
    expect(await short.finish(rotation)).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, rotation)).toMatchObject([endingOf(old.username, [who])]);
    expect(await countSessions(scenario, old.username)).toBe(0);
    await scenario.admin.query("SELECT pg_drop_replication_slot('warehouse')");
  });
});

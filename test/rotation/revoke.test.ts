import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { sql } from '../../src/facts/remedy.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { canLogIn, countSessions, draining, warningsOf } from '../support/draining.ts';
import { checkRefused, endingOf, shopSession } from '../support/expected-facts.ts';
import { logInAs } from '../support/old-client.ts';
import { withRotatedScenario } from '../support/rotated-scenario.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import type { Scenario } from '../support/scenario.ts';
import { finishSkipping, skippingClock } from '../support/skipping-clock.ts';

let scenario: Scenario;
withRotatedScenario((opened) => {
  scenario = opened;
});

describe('revoke', () => {
  test('leaves no session of 50 clients that keep logging in with the old password (G2)', async () => {
    const clock = skippingClock();
    const short = draining(scenario, { timeout: 3_000 }).with({ clock });
    const old = await scenario.published();
    const { host, port, database } = scenario.connection;
    let storming = true;
    let refused = 0;
    const storm = Array.from({ length: 50 }, async () => {
      while (storming) {
        const client = new pg.Client({ host, port, database, user: old.username, password: old.password });
        client.on('error', () => {});
        const cut = new Promise((resolve) => client.once('end', resolve));
        try {
          await client.connect();
          await cut;
        } catch {
          refused += 1;
          await client.end().catch(() => {});
          // As a pool that backs off, so that the server is not kept busy with refusals.
          await sleep(100);
        }
      }
    });
    await expect.poll(() => countSessions(scenario, old.username)).toBe(50);
    const rotation = await short.request();
    expect(await finishSkipping(short, rotation, clock)).toEqual({ status: 'done' });
    // Until each client has tried again, and has been refused.
    for (const before = refused; refused < before + 50; ) {
      expect(await countSessions(scenario, old.username)).toBe(0);
    }
    storming = false;
    await Promise.all(storm);
    expect((await warningsOf(scenario, rotation))[0]).toMatchObject(
      endingOf(old.username, Array(50).fill(expect.any(Object))),
    );
  });

  test('commits NOLOGIN and names whom it cuts before it ends a session (G2)', async () => {
    const old = await scenario.published();
    await using session = await logInAs(scenario, old);
    const seen: unknown[] = [];
    const clock = skippingClock();
    const watched = draining(scenario, { timeout: 100 }).with({
      clock,
      ledger: {
        ...scenario.ledger,
        async warn(open, step, fact, subject) {
          const { rows } = await session.client.query('SELECT 1 AS alive');
          seen.push([step, await canLogIn(scenario, old.username), rows[0].alive]);
          return scenario.ledger.warn(open, step, fact, subject);
        },
      },
    });
    const rotation = await watched.request();
    expect(await finishSkipping(watched, rotation, clock)).toEqual({ status: 'done' });
    expect(seen).toEqual([['revoke', false, 1]]);
  });

  test('says whose session it is that the rotator cannot end, and what mends it, until it can (G5, G6)', async () => {
    await using role = await withLimitedRotator(scenario);
    const clock = skippingClock();
    const limited = draining(role.limited, { timeout: 500 }).with({ clock });
    const old = await scenario.published();
    await using session = await logInAs(scenario, old, { application_name: 'psql' });
    const rotation = await limited.request();
    expect(await limited.run(rotation)).toMatchObject({ status: 'waiting' });
    await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(old.username)} SUPERUSER`);
    clock.skipTo(clock.now() + 600);
    const shut = await limited.run(rotation);
    const mends = sql(`ALTER ROLE ${quoteIdentifier(old.username)} NOSUPERUSER`);
    const lacking = {
      ...checkRefused({
        code: 'rotator-lacks-privileges',
        params: { rotator: role.rotator, missing: [{ right: 'alter-superuser', login: old.username }] },
      }),
      remedies: [mends],
    };
    expect(shut).toMatchObject({
      status: 'retrying',
      error: { step: 'revoke', fact: lacking },
    });
    await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(old.username)} NOLOGIN`);
    const cut = await limited.run(rotation);
    expect(cut).toMatchObject({
      status: 'retrying',
      error: {
        step: 'revoke',
        fact: {
          code: 'revoke-sessions-not-ended',
          params: {
            login: old.username,
            sessions: [{ ...shopSession({ application: 'psql' }), pid: expect.any(Number) }],
            cause: lacking,
          },
        },
      },
    });
    await session.client.query('SELECT 1');
    await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(old.username)} NOSUPERUSER`);
    expect(await finishSkipping(limited, rotation, clock)).toEqual({ status: 'done' });
    expect(await countSessions(scenario, old.username)).toBe(0);
  });
});

describe('check refuses, changing nothing (G5),', () => {
  test('a login whose turn comes again while it is in use in another database, saying by whom', async () => {
    const [, standby] = scenario.policy.logins;
    await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(standby)} LOGIN PASSWORD 'by-hand'`);
    await using session = await logInAs(
      scenario,
      { username: standby, password: 'by-hand' },
      { database: 'postgres' },
    );
    const outcome = await scenario.finish(await scenario.request());
    expect(outcome).toMatchObject({
      status: 'failed',
      error: {
        step: 'check',
        fact: checkRefused({
          code: 'incoming-has-sessions',
          params: { login: standby, sessions: [shopSession({ database: 'postgres', elsewhere: true })] },
        }),
      },
    });
    await session.client.query('SELECT 1');
  });

  test('an emergency of a rotator that may not end sessions, though the policy says wait', async () => {
    await using role = await withLimitedRotator(scenario);
    const limited = draining(role.limited, { onTimeout: 'wait' });
    await scenario.admin.query(`REVOKE pg_signal_backend FROM ${role.rotator}`);
    expect(await limited.finish(await limited.request('emergency'))).toMatchObject({
      status: 'failed',
      error: {
        step: 'check',
        fact: {
          ...checkRefused({
            code: 'rotator-lacks-privileges',
            params: { rotator: role.rotator, missing: [{ right: 'end-sessions' }] },
          }),
          remedies: [sql(`GRANT pg_signal_backend TO ${role.rotator}`)],
        },
      },
    });
    expect(await limited.finish(await limited.request())).toEqual({ status: 'done' });
  });
});

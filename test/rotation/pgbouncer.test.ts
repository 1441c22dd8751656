import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import type { SeenClients } from '../../src/facts/rotation/use-facts.ts';
import type { Rotation } from '../../src/ledger/rotation.ts';
import { allUsesOf } from '../../src/roles/all-uses-of.ts';
import { plan } from '../../src/rotation/plan.ts';
import { canLogIn, countSessions, draining, warningsOf } from '../support/draining.ts';
import { endingOf, shopSession, waitingFor } from '../support/expected-facts.ts';
import { startFakePostgres, table, WELCOME } from '../support/fake-postgres.ts';
import { startStallingProxy } from '../support/flaky-proxy.ts';
import { logInAs, type OldClient } from '../support/old-client.ts';
import { havePgBouncer, type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts';
import { withRotatedScenario } from '../support/rotated-scenario.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import type { Scenario } from '../support/scenario.ts';

interface Credential {
  readonly username: string;
  readonly password: string;
}

let scenario: Scenario;
withRotatedScenario((opened) => {
  scenario = opened;
});

function through({ console: { host, port } }: PgBouncer, credential: Credential) {
  return logInAs(scenario, credential, { host, port });
}

/** A client that has had a session in PostgreSQL. */
async function busyOnce(bouncer: PgBouncer, credential: Credential) {
  const client = await through(bouncer, credential);
  await client.client.query('SELECT 1');
  return client;
}

/** A client that has told PgBouncer who it is, and proves it when it is told to. */
async function beginLogin({ console: { host, port } }: PgBouncer, { username, password }: Credential) {
  let prove = () => {};
  const proving = new Promise<void>((done) => {
    prove = done;
  });
  let asked = () => {};
  const isAsked = new Promise<void>((done) => {
    asked = done;
  });
  const client = new pg.Client({
    ...{ host, port, user: username, database: scenario.connection.database, application_name: 'shop' },
    password: () => {
      asked();
      return proving.then(() => password);
    },
  });
  const connected = client.connect();
  await isAsked;
  return {
    client,
    async finish() {
      prove();
      await connected;
    },
  };
}

/** How facts name one client of a login. */
function clientAt({ console: { host, port } }: PgBouncer, login: string): SeenClients {
  return { pgbouncer: `${host}:${port}`, database: scenario.connection.database, login, clients: 1 };
}

/** The warning that a drain could not ask a PgBouncer about a login, with the fault of that. */
function notAsked(login: string, code: string, detail: RegExp) {
  const params = {
    place: expect.stringMatching(/^keyturn_console@127\.0\.0\.1:\d+\/pgbouncer$/),
    detail: expect.stringMatching(detail),
  };
  return { step: 'drain', code: 'pgbouncer-not-asked', params: { login, cause: { code, params } } };
}

/** Looks three times at the instants that the rotation asks for. */
async function looks(at: Scenario, rotation: Rotation): Promise<unknown[]> {
  const reasons: unknown[] = [];
  for (let look = 0; look < 3; look += 1) {
    const outcome = await at.run(rotation);
    reasons.push(outcome.status === 'waiting' ? outcome.fact : outcome.status);
    if ('until' in outcome) await sleep(Math.max(0, outcome.until - Date.now()));
  }
  return reasons;
}

describe.skipIf(!havePgBouncer)('behind a PgBouncer', () => {
  test.each(['session', 'transaction', 'statement'])(
    'in %s pooling a drain ends when the last client has left, and what PgBouncer kept of it, which cuts nobody (G2)',
    async (pool_mode) => {
      await using bouncer = await startPgBouncer(scenario, { pool_mode });
      const old = await scenario.published();
      const client = await through(bouncer, old);
      await client.client.query('SELECT 1');
      await client[Symbol.asyncDispose]();
      const patient = (from: Scenario) => draining(from, { timeout: 100_000 });
      const rotation = await scenario.request();
      // In session pooling it resets what it takes back.
      const application = pool_mode === 'session' ? '' : 'shop';
      const left = waitingFor(old.username, [shopSession({ application })]);
      // Without its console PgBouncer keeps what is left for ten minutes.
      expect(await looks(patient(scenario), rotation)).toMatchObject([left, left, left]);

      await using moved = await through(bouncer, await scenario.published());
      let queries = 0;
      let working = true;
      const work = (async () => {
        for (; working; queries += 1) await moved.client.query('SELECT 1');
      })();
      expect(await patient(bouncer.scenario).finish(rotation)).toEqual({ status: 'done' });
      const before = queries;
      await expect.poll(() => queries).toBeGreaterThan(before);
      working = false;
      await work;
      expect(await countSessions(scenario, old.username)).toBe(0);
      expect(await warningsOf(scenario, rotation)).toEqual([]);
    },
  );

  test('a drain waits for a session that is not PgBouncer’s, and for that alone (G2)', async () => {
    await using bouncer = await startPgBouncer(scenario);
    const patient = draining(bouncer.scenario, {});
    const old = await scenario.published();
    await (await busyOnce(bouncer, old))[Symbol.asyncDispose]();
    const direct = await logInAs(scenario, old, { application_name: 'direct' });
    const rotation = await patient.request();
    const wait = waitingFor(old.username, [shopSession({ application: 'direct' })]);
    expect(await looks(patient, rotation)).toMatchObject([wait, wait, wait]);
    const row = await scenario.ledger.find(rotation.id);
    await using context = patient.context(row ?? rotation);
    expect((await plan(context)).find(({ step }) => step === 'drain')?.fact).toMatchObject({
      code: 'plan-drain',
      params: { sessions: [{ application: 'direct' }], clients: [] },
    });
    // PgBouncer keeps its own all the while, for who still comes in.
    expect(await countSessions(scenario, old.username)).toBe(2);
    expect(await canLogIn(scenario, old.username)).toBe(true);
    await direct[Symbol.asyncDispose]();
    expect(await patient.finish(rotation)).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, rotation)).toEqual([]);
  });

  test('who began to log in before the revoke is let in, keeps what PgBouncer has of the login, and is waited for (G2)', async () => {
    await using bouncer = await startPgBouncer(scenario);
    const patient = draining(bouncer.scenario, {});
    const old = await scenario.published();
    await (await busyOnce(bouncer, old))[Symbol.asyncDispose]();
    const rotation = await patient.request();
    const late = await beginLogin(bouncer, old);
    const turn = patient.run(rotation);
    await expect.poll(() => canLogIn(scenario, old.username)).toBe(false);
    await late.finish();
    await late.client.query('SELECT 1');
    const clients = [clientAt(bouncer, old.username)];
    const wait = waitingFor(old.username, [shopSession()], { clients });
    expect(await turn).toMatchObject({ status: 'waiting', fact: { code: wait.code } });
    expect(await looks(patient, rotation)).toMatchObject([wait, wait, wait]);
    expect((await late.client.query('SELECT 1')).rowCount).toBe(1);
    await late.client.end();
    expect(await patient.finish(rotation)).toEqual({ status: 'done' });
    expect(await countSessions(scenario, old.username)).toBe(0);
    expect(await warningsOf(scenario, rotation)).toEqual([]);
  });

  test('a console that lies has no session ended that is at work, and no login shut out before it is over (G2)', async () => {
    const old = await scenario.published();
    await using busy = await logInAs(scenario, old, { application_name: 'busy' });
    await using idle = await logInAs(scenario, old, { application_name: 'idle' });
    const ends = async ({ client }: OldClient) => {
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid, inet_client_port() AS port');
      return ['S', old.username, 'any', 'idle', '127.0.0.1', ...[rows[0].port, rows[0].pid].map(String)];
    };
    const claimed = [await ends(busy), await ends(idle)];
    await busy.client.query('BEGIN');
    const answer = (said: string) => {
      if (said.includes('SHOW POOLS')) {
        const none = ['cl_active', 'sv_active', 'sv_idle', 'sv_used'];
        return table(['database', 'user', ...none], [['any', old.username, '0', '0', '0', '0']]);
      }
      const columns = ['type', 'user', 'database', 'state', 'local_addr', 'local_port', 'remote_pid'];
      return table(columns, said.includes('SHOW SERVERS') ? claimed : []);
    };
    await using liar = await startFakePostgres();
    liar.play([() => WELCOME, ...Array<typeof answer>(20).fill(answer)]);
    const { port } = liar;
    const pgbouncer = [{ host: '127.0.0.1', port, user: 'x', tls: { mode: 'disable' } as const }];
    const own = draining(scenario.with({ connection: { ...scenario.connection, pgbouncer } }), {});

    const rotation = await own.request();
    const working = shopSession({ application: 'busy', state: 'idle in transaction' });
    const wait = waitingFor(old.username, [working]);
    expect(await looks(own, rotation)).toMatchObject([wait, wait, wait]);
    expect(await canLogIn(scenario, old.username)).toBe(true);
    await idle.client.query('SELECT 1');
    expect((await busy.client.query('COMMIT')).command).toBe('COMMIT');
    await busy.client.end();
    // This much it can do: have one that is idle ended before the deadline.
    expect(await own.finish(rotation)).toEqual({ status: 'done' });
    await expect(idle.client.query('SELECT 1')).rejects.toThrow();
    expect(await warningsOf(scenario, rotation)).toEqual([]);
  });

  test('a rotator that may not end sessions waits until PgBouncer closes them, and says so', async () => {
    await using role = await withLimitedRotator(scenario);
    await scenario.admin.query(`REVOKE pg_signal_backend FROM ${role.rotator}`);
    await using bouncer = await startPgBouncer(role.limited, { server_idle_timeout: '3' });
    const own = draining(bouncer.scenario, { onTimeout: 'wait', timeout: 60_000 });
    const old = await scenario.published();
    const rotation = await own.request();
    await (await busyOnce(bouncer, old))[Symbol.asyncDispose]();
    expect(await own.finish(rotation)).toEqual({ status: 'done' });
    expect(await countSessions(scenario, old.username)).toBe(0);
    expect(await warningsOf(scenario, rotation)).toMatchObject([
      {
        step: 'revoke',
        code: 'revoke-sessions-not-ended',
        params: { login: old.username, sessions: [shopSession()], cause: null },
        remedies: [{ kind: 'sql' }],
      },
    ]);
  });

  test('a console that never answers keeps an emergency waiting for a moment only', async () => {
    await using hole = await startStallingProxy({ host: '127.0.0.1', port: 1 }, 0);
    const pgbouncer = [
      { host: '127.0.0.1', port: hole.port, user: 'x', password: 'x', tls: { mode: 'disable' } as const },
    ];
    const own = scenario.with({ connection: { ...scenario.connection, pgbouncer } });
    const leaked = await scenario.published();
    await using thief = await logInAs(scenario, leaked);
    const rotation = await own.request('emergency');
    const began = performance.now();
    const finished = own.finish(rotation);
    await expect.poll(() => canLogIn(scenario, leaked.username)).toBe(false);
    await expect.poll(() => countSessions(scenario, leaked.username)).toBe(0);
    // One question at `check`, which has 10 s.
    expect(performance.now() - began).toBeLessThan(18_000);
    await expect(thief.client.query('SELECT 1')).rejects.toThrow();
    expect(await finished).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, rotation)).toContainEqual(
      expect.objectContaining({ step: 'revoke', code: 'pgbouncer-not-asked' }),
    );
  });

  test('a drain waits for who is logged in to PgBouncer, though PostgreSQL has no session of it (G2, G6)', async () => {
    await using bouncer = await startPgBouncer(scenario, { server_idle_timeout: '1' });
    const patient = draining(bouncer.scenario, {});
    const old = await scenario.published();
    const client = await through(bouncer, old);
    await client.client.query('SELECT 1');
    const rotation = await patient.request();
    await patient.run(rotation);
    await expect.poll(() => countSessions(scenario, old.username)).toBe(0);
    const use = { sessions: [], prepared: [], clients: [clientAt(bouncer, old.username)] };
    const uses = await allUsesOf(scenario.admin, bouncer.scenario.connection, [old.username]);
    expect(uses).toEqual([{ login: old.username, ...use }]);
    const wait = waitingFor(old.username, [], use);
    expect(await looks(patient, rotation)).toEqual([wait, wait, wait]);
    const row = await scenario.ledger.find(rotation.id);
    await using context = patient.context(row ?? rotation);
    expect((await plan(context)).find(({ step }) => step === 'drain')?.fact).toMatchObject({
      code: 'plan-drain',
      params: { login: old.username, ...use },
    });
    await client.client.query('SELECT 1');
    await client[Symbol.asyncDispose]();
    expect(await patient.finish(rotation)).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, rotation)).toEqual([]);
  });

  test.each(['session', 'transaction'])(
    'in %s pooling a transaction is not cut before the deadline (G2)',
    async (pool_mode) => {
      await using bouncer = await startPgBouncer(scenario, { pool_mode });
      const patient = draining(bouncer.scenario, {});
      const old = await scenario.published();
      const client = await through(bouncer, old);
      await client.client.query('BEGIN; CREATE TEMPORARY TABLE work ()');
      const rotation = await patient.request();
      const working = shopSession({ state: 'idle in transaction' });
      const wait = waitingFor(old.username, [working], { clients: [clientAt(bouncer, old.username)] });
      expect(await looks(patient, rotation)).toMatchObject([wait, wait, wait]);
      expect((await client.client.query('COMMIT')).command).toBe('COMMIT');
      await client[Symbol.asyncDispose]();
      expect(await patient.finish(rotation)).toEqual({ status: 'done' });
      expect(await warningsOf(scenario, rotation)).toEqual([]);
    },
  );

  test('in session pooling who stays is cut at the deadline, and told of', async () => {
    await using bouncer = await startPgBouncer(scenario, { pool_mode: 'session' });
    const short = draining(bouncer.scenario, { timeout: 3_000 });
    const old = await scenario.published();
    await using client = await through(bouncer, old);
    await client.client.query('SELECT 1');
    const rotation = await short.request();
    expect(await short.run(rotation)).toMatchObject({ status: 'waiting' });
    await client.client.query('SELECT 1');
    expect(await short.finish(rotation)).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, rotation)).toMatchObject([endingOf(old.username, [shopSession()])]);
    await expect(client.client.query('SELECT 1')).rejects.toThrow();
  });

  test('each login gets in with each password it is given, and with none once it is revoked (G1, G2)', async () => {
    await using bouncer = await startPgBouncer(scenario);
    const own = draining(bouncer.scenario, {});
    for (let turn = 0; turn < 4; turn += 1) {
      const old = await scenario.published();
      await (await through(bouncer, old)).client.end();
      expect(await own.finish(await own.request())).toEqual({ status: 'done' });
      await expect(through(bouncer, old)).rejects.toThrow('no such user');
      const fresh = await scenario.published();
      await using client = await through(bouncer, fresh);
      const { rows } = await client.client.query('SELECT current_user AS name');
      expect(rows).toEqual([{ name: fresh.username }]);
    }
  });

  test('an emergency waits for no client, and warns of those who stay logged in to PgBouncer', async () => {
    await using bouncer = await startPgBouncer(scenario);
    const own = bouncer.scenario;
    const leaked = await scenario.published();
    await using thief = await through(bouncer, leaked);
    await thief.client.query('SELECT 1');
    const rotation = await own.request('emergency');
    expect(await own.finish(rotation)).toEqual({ status: 'done' });
    expect(await countSessions(scenario, leaked.username)).toBe(0);
    await expect(through(bouncer, leaked)).rejects.toThrow('no such user');
    const who = clientAt(bouncer, leaked.username);
    expect(await warningsOf(scenario, rotation)).toMatchObject([
      endingOf(leaked.username, [shopSession()]),
      { step: 'revoke', ...fact('pgbouncer-clients-stay', who) },
    ]);
    const next = await own.request('emergency');
    expect(await own.finish(next)).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, next)).toContainEqual({
      step: 'check',
      ...fact('incoming-has-pooled-clients', who),
    });
  });

  test('a console that is down is a warning, told once, and a rotation goes on', async () => {
    await using bouncer = await startPgBouncer(scenario);
    const own = draining(bouncer.scenario, {});
    await bouncer.stop();
    const old = await scenario.published();
    const direct = await logInAs(scenario, old);
    const rotation = await own.request();
    expect(await looks(own, rotation)).toMatchObject(
      Array(3).fill(waitingFor(old.username, [shopSession()])),
    );
    await direct[Symbol.asyncDispose]();
    expect(await own.finish(rotation)).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, rotation)).toMatchObject([
      notAsked(old.username, 'pgbouncer-unreachable', /ECONNREFUSED/),
    ]);
  });

  test('a console that refuses the password is a warning that names the user, and never shows the password (G3)', async () => {
    await using bouncer = await startPgBouncer(scenario);
    const own = draining(bouncer.scenario, {}).with({
      connection: { ...scenario.connection, pgbouncer: [{ ...bouncer.console, password: 'w-r-o-n-g' }] },
    });
    const old = await scenario.published();
    const rotation = await own.request();
    expect(await own.finish(rotation)).toEqual({ status: 'done' });
    expect(await warningsOf(scenario, rotation)).toMatchObject([
      notAsked(old.username, 'pgbouncer-login-refused', /authentication failed/),
    ]);
    expect(JSON.stringify(await scenario.ledger.events([rotation.id]))).not.toContain('w-r-o-n-g');
  });

  test('check refuses a connection that leads to a PgBouncer, changing nothing (G1, G5)', async () => {
    await using role = await withLimitedRotator(scenario);
    await using strict = await startPgBouncer(scenario);
    await using lenient = await startPgBouncer(scenario, {
      pool_mode: 'session',
      ignore_startup_parameters: 'statement_timeout',
    });
    const before = await scenario.published();
    for (const { console } of [strict, lenient]) {
      const { host, port } = console;
      const astray = role.limited.with({ connection: { ...role.limited.connection, host, port } });
      expect(await astray.finish(await astray.request())).toMatchObject({
        status: 'failed',
        error: {
          step: 'check',
          fact: {
            code: 'connection-is-pooler',
            params: {
              place: `${role.rotator}@${host}:${port}/${astray.connection.database}`,
              detail: expect.stringContaining('unsupported startup parameter'),
            },
          },
        },
      });
    }
    expect(await scenario.published()).toEqual(before);
    expect(await canLogIn(scenario, before.username)).toBe(true);
  });
});

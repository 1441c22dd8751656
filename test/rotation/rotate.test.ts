import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import type { Fact } from '../../src/facts/fact.ts';
import { command, sql } from '../../src/facts/remedy.ts';
import { STEP_NAMES } from '../../src/ledger/rotation.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { sessionsOf } from '../../src/postgres/sessions/sessions.ts';
import { everyDays, HOUR } from '../schedule/schedules.ts';
import { warningsOf } from '../support/draining.ts';
import { adoptionNeeded, checkRefused, waitingFor } from '../support/expected-facts.ts';
import { onLine } from '../support/on-line.ts';
import { runStatements } from '../support/remedies.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import { MAPPING, openScenario, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
});
afterEach(() => scenario[Symbol.asyncDispose]());

const [A, B] = [0, 1] as const;
const login = (index: 0 | 1) => scenario.policy.logins[index];

async function rotateOnce(from: Scenario = scenario) {
  return from.finish(await from.request());
}

describe('a rotation', () => {
  test('publishes the standby login with a password that logs in, and revokes the other (G1, G2)', async () => {
    expect(await rotateOnce()).toEqual({ status: 'done' });
    const first = await scenario.published();
    expect(first.username).toBe(login(A));

    expect(await rotateOnce()).toEqual({ status: 'done' });
    const second = await scenario.published();
    expect(second.username).toBe(login(B));
    await using _session = await scenario.logIn(second);
    await expect(scenario.logIn(first)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
    const { rows } = await scenario.admin.query(
      'SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = $1',
      [login(A)],
    );
    expect(rows).toEqual([{ rolcanlogin: false, rolpassword: null }]);
  });

  test('alternates between the logins', async () => {
    const order: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      await rotateOnce();
      order.push((await scenario.published()).username);
    }
    expect(order).toEqual([login(A), login(B), login(A), login(B)]);
  });

  test('gives PostgreSQL a SCRAM-SHA-256 verifier and never the password (G3)', async () => {
    await rotateOnce();
    const { rows } = await scenario.admin.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [
      login(A),
    ]);
    expect(rows[0].rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
  });

  test('records every step once, in order, and no password, in the ledger (G3)', async () => {
    const rotation = await scenario.request();
    await scenario.finish(rotation);
    const events = await scenario.ledger.events([rotation.id]);
    expect(events.filter(({ kind }) => kind === 'done').map(({ step }) => step)).toEqual(STEP_NAMES);
    const row = await scenario.ledger.find(rotation.id);
    expect(row).toMatchObject({ status: 'done', incoming: login(A), outgoing: login(B), lastFault: null });
    const { password } = await scenario.published();
    expect(JSON.stringify([row, events])).not.toContain(password);
  });

  test('is the only open one of its policy', async () => {
    const { id } = await scenario.request();
    const policy = scenario.policy.name;
    await expect(scenario.request()).rejects.toMatchObject({
      fact: {
        code: 'rotation-open-already',
        params: { policy, rotation: { id, requestedBy: 'test', publishedAt: null } },
        remedies: [command('status', policy)],
      },
    });
  });
});

describe('drain', () => {
  test('waits for the sessions of the outgoing login and cuts none before the deadline (G2)', async () => {
    await rotateOnce();
    const old = await scenario.published();
    await using session = await scenario.logIn(old);
    await session.client.query('BEGIN');

    const rotation = await scenario.request();
    const outcome = await scenario.run(rotation);
    expect(outcome).toMatchObject({
      status: 'waiting',
      fact: waitingFor(old.username, [{ address: '127.0.0.1', state: 'idle in transaction' }]),
    });
    // The old login still lets its consumers in while it drains.
    await using _late = await scenario.logIn(old);
    await _late[Symbol.asyncDispose]();
    await session.client.query('COMMIT');
    await session[Symbol.asyncDispose]();
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    await expect(scenario.logIn(old)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
  });

  test('past the deadline ends the sessions that are left, where the policy says terminate (G2)', async () => {
    const short = scenario.with({
      policy: { ...scenario.policy, drain: { grace: 0, timeout: 300, onTimeout: 'terminate' } },
    });
    await rotateOnce(short);
    await using session = await short.logIn(await short.published());
    expect(await rotateOnce(short)).toEqual({ status: 'done' });
    await expect(session.client.query('SELECT 1')).rejects.toThrow();
    expect((await sessionsOf(scenario.admin, scenario.policy.logins)).get(login(A))).toEqual([]);
  });

  test('past the deadline goes on waiting where the policy says wait, and says so (G2)', async () => {
    const patient = scenario.with({
      policy: { ...scenario.policy, drain: { grace: 0, timeout: 1, onTimeout: 'wait' } },
    });
    await rotateOnce(patient);
    const session = await patient.logIn(await patient.published());
    const rotation = await patient.request();
    await patient.run(rotation);
    const outcome = await patient.run(rotation);
    expect(outcome).toMatchObject({
      status: 'waiting',
      fact: { code: 'drain-waiting-for-sessions', params: { pastDeadline: true } },
    });
    await session.client.query('SELECT 1');
    await session[Symbol.asyncDispose]();
    expect(await patient.finish(rotation)).toEqual({ status: 'done' });
  });

  test('whose time was up, woken after the next rotation, cuts nobody (G2)', async () => {
    const short = scenario.with({
      policy: { ...scenario.policy, drain: { grace: 0, timeout: 200, onTimeout: 'terminate' } },
    });
    await rotateOnce(short);
    const held = await short.logIn(await short.published());
    const rotation = await short.request();
    let consumer: Awaited<ReturnType<typeof short.logIn>> | undefined;
    // Stopped when it has counted the sessions to cut; meanwhile another worker ends the rotation and does the next.
    const sleeper = short.with({
      ledger: {
        ...short.ledger,
        find: async (id) => {
          const row = await short.ledger.find(id);
          const { rows } = await scenario.admin.query('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [
            login(A),
          ]);
          if (consumer || rows[0].rolcanlogin) return row;
          consumer = held;
          return row && { ...row, status: 'done' };
        },
      },
    });
    let outcome = await sleeper.run(rotation);
    while (!consumer) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      outcome = await sleeper.run(rotation);
    }
    expect(outcome).toMatchObject({ status: 'waiting', fact: { code: 'rotation-superseded' } });
    await held.client.query('SELECT 1');
    await held[Symbol.asyncDispose]();
    expect(await short.finish(rotation)).toEqual({ status: 'done' });
  });

  test('waits out the grace before it counts', async () => {
    const graceful = scenario.with({
      policy: { ...scenario.policy, drain: { grace: 60_000, timeout: 120_000, onTimeout: 'terminate' } },
    });
    await rotateOnce();
    const rotation = await graceful.request();
    const outcome = await graceful.run(rotation);
    const { publishedAt } = (await graceful.ledger.find(rotation.id)) ?? {};
    expect(outcome).toMatchObject({ status: 'waiting', until: Number(publishedAt) + 60_000 });
    await using _session = await graceful.logIn(await graceful.published());
  });

  test('is left out by an emergency, which cuts sessions at once', async () => {
    await rotateOnce();
    const old = await scenario.published();
    await using session = await scenario.logIn(old);
    const rotation = await scenario.request('emergency');
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    await expect(session.client.query('SELECT 1')).rejects.toThrow();
    await expect(scenario.logIn(old)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
  });
});

test('a VALID UNTIL that is near is warned of, with what takes it off', async () => {
  const until = new Date(Date.now() + 10 * 24 * HOUR);
  for (const each of scenario.policy.logins) {
    await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(each)} VALID UNTIL '${until.toISOString()}'`);
  }
  const rotation = await scenario.request();
  expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  expect(await warningsOf(scenario, rotation)).toMatchObject(
    scenario.policy.logins.map((each) => ({
      step: 'check',
      code: 'login-expires-soon',
      params: { login: each, validUntil: until.toISOString(), days: 30 },
      remedies: [sql(`ALTER ROLE ${quoteIdentifier(each)} VALID UNTIL 'infinity'`)],
    })),
  );
});

test('a VALID UNTIL that is far does not stop a rotation, nor one that no Date can say', async () => {
  const [first, second] = scenario.policy.logins.map(quoteIdentifier);
  await scenario.admin.query(`ALTER ROLE ${first} VALID UNTIL '2100-01-01 00:00Z'`);
  await scenario.admin.query(`ALTER ROLE ${second} VALID UNTIL '294000-12-01'`);
  const rotation = await scenario.request();
  expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  expect(await warningsOf(scenario, rotation)).toMatchObject([
    {
      step: 'check',
      code: 'login-expires-alone',
      params: { login: login(A), validUntil: '2100-01-01T00:00:00.000Z' },
      remedies: [sql(`ALTER ROLE ${first} VALID UNTIL 'infinity'`)],
    },
  ]);
});

describe('a failure before publish', () => {
  test('takes back what was staged and leaves the published login as it was (G5)', async () => {
    await rotateOnce();
    const before = await scenario.published();
    const failing = scenario.with({ policy: { ...scenario.policy, verify: ['SELECT 1 FROM nowhere'] } });
    const rotation = await failing.request();
    const outcome = await failing.finish(rotation);
    expect(outcome).toMatchObject({
      status: 'failed',
      error: {
        step: 'verify',
        fact: {
          code: 'verify-statement-failed',
          params: {
            statement: 'SELECT 1 FROM nowhere',
            cause: { params: { detail: 'relation "nowhere" does not exist' } },
          },
        },
      },
    });
    expect(await scenario.published()).toEqual(before);
    expect(await scenario.store.read(MAPPING, 'pending')).toBeUndefined();
    await (await scenario.logIn(before))[Symbol.asyncDispose]();
    expect(await rotateOnce()).toEqual({ status: 'done' });
  });

  test.each([
    [
      'that has a name',
      'set',
      (rotator: string) => `ALTER ROLE ${rotator} NOCREATEROLE`,
      (rotator: string) => ({
        ...checkRefused({
          code: 'rotator-lacks-privileges',
          params: { rotator, missing: [{ right: 'alter-logins' }] },
        }),
        remedies: [sql(`ALTER ROLE ${rotator} CREATEROLE`)],
      }),
    ],
    [
      'that only PostgreSQL knows',
      // It locks the logins with it, which `set` has done already.
      'verify',
      () => 'REVOKE EXECUTE ON FUNCTION pg_current_xact_id_if_assigned() FROM PUBLIC',
      () => ({
        code: 'unexpected',
        params: { text: 'permission denied for function pg_current_xact_id_if_assigned' },
      }),
    ],
  ] as const)(
    'by a right %s, lost since check, ends the rotation at once and takes back (G5)',
    async (_, step, lose, expected) => {
      await rotateOnce();
      const before = await scenario.published();
      await using role = await withLimitedRotator(scenario);
      const losing = role.limited.with({
        ledger: onLine(scenario.ledger, {
          async after({ step, kind }) {
            if (step === 'stage' && kind === 'done') await scenario.admin.query(lose(role.rotator));
          },
        }),
      });
      expect(await losing.run(await losing.request())).toMatchObject({
        status: 'failed',
        error: { step, fact: expected(role.rotator) },
      });
      expect(await scenario.published()).toEqual(before);
      expect(await scenario.store.read(MAPPING, 'pending')).toBeUndefined();
    },
  );

  test('after a leftover that could not be taken back, the next rotation takes it back', async () => {
    await rotateOnce();
    const stubborn = {
      ...scenario.store,
      discard: () => Promise.reject(new Error('the store is away')),
    };
    const failing = scenario.with({
      policy: { ...scenario.policy, verify: ['SELECT 1 FROM nowhere'] },
      destinations: [{ name: 'files', store: stubborn, create: true, secrets: MAPPING }],
    });
    expect(await rotateOnce(failing)).toMatchObject({ status: 'failed' });
    expect(await scenario.store.read(MAPPING, 'pending')).toBeDefined();
    expect(await rotateOnce()).toEqual({ status: 'done' });
  });
});

describe('a failure after publish', () => {
  test('is retried until revoke is done, and holds revoke back while a destination is behind (G2, G5)', async () => {
    await rotateOnce();
    const before = await scenario.published();
    let down = true;
    const primary = {
      ...scenario.store,
      promote: async (...args: Parameters<typeof scenario.store.promote>) => {
        if (down) throw new Error('500 from the store');
        return scenario.store.promote(...args);
      },
    };
    const mirror = { username: { secret: 'mirror/username' }, password: { secret: 'mirror/password' } };
    const halting = scenario.with({
      destinations: [
        { name: 'primary', store: primary, create: true, secrets: MAPPING },
        { name: 'mirror', store: scenario.store, create: true, secrets: mirror },
      ],
    });
    const rotation = await halting.request();
    const outcome = await halting.run(rotation);
    expect(outcome).toMatchObject({ status: 'retrying', error: { step: 'publish' } });
    // Both what the primary says and what the mirror says log in.
    await using _old = await scenario.logIn(before);
    const ahead = (await scenario.store.read(mirror, 'current'))?.fields;
    await using _new = await scenario.logIn({
      username: String(ahead?.username),
      password: String(ahead?.password),
    });
    await Promise.all([_old[Symbol.asyncDispose](), _new[Symbol.asyncDispose]()]);
    for (let round = 0; round < 6; round += 1)
      expect(await halting.run(rotation)).toMatchObject({ status: 'retrying' });
    down = false;
    expect(await halting.finish(rotation)).toEqual({ status: 'done' });
    await expect(scenario.logIn(before)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
  });

  test('revokes nothing when the published version was changed by someone else (G2)', async () => {
    await rotateOnce();
    const old = await scenario.published();
    await using session = await scenario.logIn(old);
    const rotation = await scenario.request();
    await scenario.run(rotation);
    const other = randomUUID();
    await scenario.store.stage(MAPPING, other, old, { create: false });
    await scenario.store.promote(MAPPING, other);
    await session[Symbol.asyncDispose]();
    const outcome = await scenario.run(rotation);
    expect(outcome).toMatchObject({
      status: 'failed',
      error: { fact: { code: 'publication-replaced' } },
    });
    await using _still = await scenario.logIn(old);
  });
});

describe('check refuses, changing nothing (G5),', () => {
  async function refusal(from: Scenario = scenario): Promise<Fact> {
    const outcome = await rotateOnce(from);
    if (outcome.status !== 'failed') throw new Error(`it is ${outcome.status}`);
    return outcome.error.fact;
  }

  test('a login that does not exist', async () => {
    const gone = scenario.with({ policy: { ...scenario.policy, logins: [login(A), 'no "such" login'] } });
    expect(await refusal(gone)).toMatchObject({
      ...checkRefused({
        code: 'logins-missing',
        params: { logins: ['no "such" login'], policy: scenario.policy.name },
      }),
      remedies: [sql('CREATE ROLE "no ""such"" login" NOLOGIN')],
    });
  });

  test('logins that differ in a membership', async () => {
    const { admin } = scenario;
    await admin.query(`GRANT pg_monitor TO ${quoteIdentifier(login(A))}`);
    const difference = { kind: 'membership', login: login(A), other: login(B), role: 'pg_monitor' };
    expect(await refusal()).toMatchObject(
      checkRefused({ code: 'logins-differ', params: { differences: [difference] } }),
    );
  });

  test('an owner whose membership or default role a login lacks, with the statement that mends it', async () => {
    const owner = `${login(A)}_owner`;
    await scenario.admin.query(`CREATE ROLE ${quoteIdentifier(owner)}`);
    const owned = scenario.with({ policy: { ...scenario.policy, owner } });
    let outcome = await rotateOnce(owned);
    for (; 'error' in outcome; outcome = await rotateOnce(owned)) {
      await runStatements(scenario.admin, outcome.error.fact);
    }
    expect(outcome).toEqual({ status: 'done' });
    await using session = await scenario.logIn(await scenario.published());
    expect((await session.client.query('SELECT current_user AS name')).rows).toEqual([{ name: owner }]);
    await session[Symbol.asyncDispose]();
    await scenario.admin.query(
      `DROP OWNED BY ${quoteIdentifier(owner)}; DROP ROLE ${quoteIdentifier(owner)}`,
    );
  });

  test('a rotation that could not start before the window of its slot was over', async () => {
    const late = scenario.with({
      policy: { ...scenario.policy, schedule: everyDays(1, '02:30', 'UTC', { window: HOUR }) },
    });
    const rotation = await late.ledger.request({
      id: randomUUID(),
      policy: late.policy.name,
      reason: 'schedule',
      requestedBy: 'schedule',
      slot: new Date(Date.now() - HOUR),
    });
    if (!rotation) throw new Error('no rotation was opened');
    expect(await late.finish(rotation)).toMatchObject({
      status: 'failed',
      error: { step: 'check', fact: { code: 'slot-window-over' } },
    });
    expect(await scenario.store.read(MAPPING, 'pending')).toBeUndefined();
    const inTime = await late.ledger.request({
      id: randomUUID(),
      policy: late.policy.name,
      reason: 'schedule',
      requestedBy: 'schedule',
      slot: new Date(Date.now() - HOUR / 2),
    });
    if (!inTime) throw new Error('no rotation was opened');
    expect(await late.finish(inTime)).toEqual({ status: 'done' });
  });

  test('a published username that is neither login', async () => {
    const token = randomUUID();
    await scenario.store.stage(MAPPING, token, { username: 'somebody', password: 'x' }, { create: true });
    await scenario.store.promote(MAPPING, token);
    expect(await refusal()).toMatchObject(
      adoptionNeeded(scenario.policy.name, {
        found: {
          code: 'published-username-unknown',
          params: { username: 'somebody', logins: scenario.policy.logins },
        },
        effect: { code: 'effect-as-first-rotation', params: { unrevoked: 'somebody' } },
      }),
    );
  });

  test('a pending version that the ledger does not know', async () => {
    const token = randomUUID();
    await scenario.store.stage(MAPPING, token, { username: 'x', password: 'y' }, { create: true });
    expect(await refusal()).toMatchObject(
      adoptionNeeded(scenario.policy.name, {
        found: {
          code: 'pending-version-unknown',
          params: { destination: 'files (primary)', tokens: [token] },
        },
        effect: { code: 'effect-discards-pending' },
      }),
    );
  });

  test('an incoming login that is still in use, saying by whom', async () => {
    await rotateOnce();
    await scenario.admin.query(`ALTER ROLE ${quoteIdentifier(login(B))} LOGIN PASSWORD 'by-hand'`);
    await using session = await scenario.logIn({ username: login(B), password: 'by-hand' });
    expect(await refusal()).toMatchObject(
      checkRefused({
        code: 'incoming-has-sessions',
        params: {
          login: login(B),
          sessions: [{ application: 'keyturn rotator', address: '127.0.0.1', elsewhere: false }],
        },
      }),
    );
    await session[Symbol.asyncDispose]();
  });

  test.each([
    ['CREATEROLE', ['alter-logins'], (name: string) => [`ALTER ROLE ${name} CREATEROLE`]],
    [
      'ADMIN',
      ['alter-login', 'alter-login'],
      (name: string) =>
        scenario.policy.logins.map(
          (target) =>
            `GRANT ${quoteIdentifier(target)} TO ${name} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
        ),
    ],
    ['pg_read_all_stats', ['see-sessions'], (name: string) => [`GRANT pg_read_all_stats TO ${name}`]],
    ['pg_signal_backend', ['end-sessions'], (name: string) => [`GRANT pg_signal_backend TO ${name}`]],
  ])('a rotator without %s, naming the statement that mends it (G6)', async (missing, rights, mends) => {
    const rotator = `${login(A)}_rotator`;
    const name = quoteIdentifier(rotator);
    const { admin } = scenario;
    await admin.query(
      `CREATE ROLE ${name} LOGIN PASSWORD 'rotator-password' ${missing === 'CREATEROLE' ? '' : 'CREATEROLE'}`,
    );
    for (const right of ['pg_read_all_stats', 'pg_signal_backend']) {
      if (right !== missing) await admin.query(`GRANT ${right} TO ${name}`);
    }
    for (const target of scenario.policy.logins) {
      if (missing !== 'ADMIN') {
        await admin.query(
          `GRANT ${quoteIdentifier(target)} TO ${name} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
        );
      }
    }
    const limited = scenario.with({
      connection: { ...scenario.connection, user: rotator, password: 'rotator-password' },
    });
    const refused = await refusal(limited);
    expect(refused).toMatchObject({
      ...checkRefused({
        code: 'rotator-lacks-privileges',
        params: { rotator, missing: rights.map((right) => ({ right })) },
      }),
      remedies: [sql(...mends(rotator))],
    });
    await runStatements(admin, refused);
    expect(await rotateOnce(limited)).toEqual({ status: 'done' });
    await admin.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
  });
});

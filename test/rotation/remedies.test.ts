import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { examinePolicy } from '../../src/doctor/examine-policy.ts';
import type { Fact } from '../../src/facts/fact.ts';
import { factOf } from '../../src/facts/fault.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import type { Event, Rotation, StepName } from '../../src/ledger/rotation.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { cancel } from '../../src/rotation/cancel.ts';
import { rollBack } from '../../src/rotation/roll-back.ts';
import type { Outcome } from '../../src/rotation/rotate.ts';
import { adminOf } from '../support/admin.ts';
import { countSessions, draining } from '../support/draining.ts';
import { dyingWith, GONE } from '../support/dying-with.ts';
import { keyturn } from '../support/keyturn.ts';
import { operatorOf } from '../support/named-commands.ts';
import { logInAs } from '../support/old-client.ts';
import { onLine } from '../support/on-line.ts';
import { publishOutside } from '../support/outside.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { commandsOf, factNamed, failureOf, runStatements } from '../support/remedies.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import { openRotatorScenario } from '../support/rotator-scenario.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { finishSkipping, skippingClock } from '../support/skipping-clock.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

const DONE = { status: 'done' };

// It has sessions of dropped logins, which must be those of this file alone.
let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

function faultOf(outcome: Outcome): Fact {
  if (!('error' in outcome)) throw new Error(`It did not fail: ${outcome.status}`);
  return factOf(outcome.error);
}

async function findingsOf({ policy, connection, destinations, ledger }: Scenario): Promise<Fact[]> {
  const [open] = await ledger.open(policy.name);
  const parts = { usable: true, connection, destinations, ledger, open, clock: systemClock };
  return (await examinePolicy(policy, parts)).map(({ fact }) => fact);
}

test('a published login that was dropped is made again, and its sessions are ended', async () => {
  await using workspace = await openWorkspace(server);
  await workspace.configure(filePolicy(workspace.logins));
  const run = (command: string) => keyturn(command.split(' '), { cwd: workspace.folder });
  expect(await run('rotate app --inline')).toMatchObject({ code: 0 });
  const dropped = await workspace.published();
  const session = await workspace.connect(dropped);
  await using admin = await adminOf(server, workspace.target);
  await admin.client.query(`DROP ROLE ${dropped.user}`);
  expect(await run('rotate app --inline')).toMatchObject({ code: 0 });
  const pool = new pg.Pool({ connectionString: workspace.stateUrl, max: 1 });
  const ledger = await openLedger(pool, systemClock);
  const warnings = async () => {
    const [last] = await ledger.latest({ policy: 'app', limit: 1 });
    const events = await ledger.events(last ? [last.id] : []);
    return events.flatMap(({ kind, fact }) => (kind === 'warning' && fact ? [fact] : []));
  };
  try {
    const ended = new Promise((resolve) => session.once('end', resolve));
    await runStatements(admin.client, factNamed('sessions-of-dropped-logins', await warnings()));
    await ended;
    const commands = commandsOf(factNamed('published-login-missing', await warnings()));
    expect(commands).toEqual(['roles create app']);
    for (const command of commands) expect(await run(command)).toMatchObject({ code: 0 });
    expect(await run('rotate app --inline')).toMatchObject({ code: 0 });
    expect(await warnings()).toEqual([]);
    expect((await workspace.published()).user).toBe(dropped.user);
    await workspace.logIn();
  } finally {
    await pool.end();
  }
});

test('rotator-passwords-refused: a rotator past its VALID UNTIL is let in again', async () => {
  await using world = await openRotatorScenario(server);
  const own = world.fresh();
  expect(await own.finish(await own.request())).toEqual(DONE);
  await own.admin.query(`ALTER ROLE ${world.rotator} VALID UNTIL '2020-01-01'`);
  const shut = world.fresh();
  const refused = faultOf(await shut.run(await shut.request()));
  await runStatements(own.admin, factNamed('rotator-passwords-refused', [refused]));
  const again = world.fresh();
  const [open] = await again.ledger.open(again.policy.name);
  expect(await again.finish(open ?? (await again.request()))).toEqual(DONE);
});

test('rollback-of-rotator: another rotation replaces the password', async () => {
  await using world = await openRotatorScenario(server);
  const own = world.fresh();
  expect(await own.finish(await own.request())).toEqual(DONE);
  const before = await own.published();
  const rotation = await own.request();
  await using context = own.context(rotation);
  const fact = factNamed('rollback-of-rotator', [
    await failureOf(rollBack(context, { requestedBy: 'test' })),
  ]);
  expect(commandsOf(fact)).toEqual([`rotate ${own.policy.name}`]);
  const { carryOut, isWell } = operatorOf(world.fresh());
  for (const command of commandsOf(fact)) await carryOut(command);
  expect(await isWell()).toBe(true);
  expect((await own.published()).password).not.toBe(before.password);
});

test('unpublished-login-in-use: a rotation publishes the other login', async () => {
  await using opened = await openScenario(server);
  const scenario = draining(opened, { timeout: 100 });
  const [used, spare] = scenario.policy.logins;
  await scenario.admin.query(`ALTER ROLE ${used} LOGIN PASSWORD 'by-hand'`);
  await using _session = await scenario.logIn({ username: used, password: 'by-hand' });
  const unpublished = async () =>
    (await findingsOf(scenario)).filter(({ code }) => code === 'unpublished-login-in-use');
  const commands = (await unpublished()).flatMap(commandsOf);
  expect(commands).toEqual([`rotate ${scenario.policy.name}`]);
  const { carryOut, isWell } = operatorOf(scenario);
  for (const command of commands) await carryOut(command);
  expect(await isWell()).toBe(true);
  expect((await scenario.published()).username).toBe(spare);
  expect(await unpublished()).toEqual([]);
});

describe('With a policy that publishes its first login,', () => {
  let scenario: Scenario;
  beforeEach(async () => {
    scenario = await openScenario(server);
    expect(await scenario.finish(await scenario.request())).toEqual(DONE);
  });
  afterEach(() => scenario[Symbol.asyncDispose]());
  const alter = (login: string | null | undefined, clause: string) =>
    scenario.admin.query(`ALTER ROLE ${quoteIdentifier(String(login))} ${clause}`);

  /** A rotation whose process went away at this instant. */
  async function stoppedAt(
    step: StepName,
    kind: Event['kind'],
    reason: 'manual' | 'emergency' = 'manual',
  ): Promise<Rotation> {
    const rotation = await scenario.request(reason);
    const dying = scenario.with({ ledger: dyingWith(scenario.ledger, step, kind) });
    await expect(dying.run(rotation)).rejects.toThrow(GONE);
    return (await scenario.ledger.find(rotation.id)) ?? rotation;
  }

  /** A rotation that is published, and whose process went away as the drain began. */
  async function drained(): Promise<Rotation> {
    const session = await scenario.logIn(await scenario.published());
    const rotation = await stoppedAt('drain', 'started');
    await session[Symbol.asyncDispose]();
    return rotation;
  }

  test('login-expires-soon: logins that expire within days never do', async () => {
    const until = new Date(Date.now() + 10 * 24 * 60 * 60_000).toISOString();
    for (const login of scenario.policy.logins) await alter(login, `VALID UNTIL '${until}'`);
    const soon = async () => (await findingsOf(scenario)).filter(({ code }) => code === 'login-expires-soon');
    const found = await soon();
    expect(found).toHaveLength(2);
    for (const fact of found) await runStatements(scenario.admin, fact);
    expect(await soon()).toEqual([]);
    const { rows } = await scenario.admin.query(
      'SELECT DISTINCT rolvaliduntil AS until FROM pg_roles WHERE rolname = ANY ($1)',
      [scenario.policy.logins],
    );
    expect(rows).toEqual([{ until: Number.POSITIVE_INFINITY }]);
  });

  test('revoke-sessions-not-ended: an administrator ends what the rotator may not', async () => {
    await using role = await withLimitedRotator(scenario);
    const clock = skippingClock();
    const limited = draining(role.limited, { timeout: 500 }).with({ clock });
    const old = await scenario.published();
    await using session = await logInAs(scenario, old);
    // As a server is hardened: that is no right that a member of pg_signal_backend has anyhow.
    await scenario.admin.query('REVOKE EXECUTE ON FUNCTION pg_catalog.pg_terminate_backend FROM PUBLIC');
    const rotation = await limited.request();
    expect(await limited.run(rotation)).toMatchObject({ status: 'waiting' });
    clock.skipTo(clock.now() + 600);
    const cut = async (): Promise<Outcome> => {
      const outcome = await limited.run(rotation);
      if (outcome.status !== 'waiting') return outcome;
      clock.skipTo(outcome.until);
      return cut();
    };
    const fault = factNamed('revoke-sessions-not-ended', [faultOf(await cut())]);
    const ended = new Promise((resolve) => session.client.once('end', resolve));
    await runStatements(scenario.admin, fault);
    await ended;
    expect(await finishSkipping(limited, rotation, clock)).toEqual(DONE);
    expect(await countSessions(scenario, old.username)).toBe(0);
  });

  describe('published-login-refused:', () => {
    const ANOTHER = "PASSWORD 'another'";

    test.each<
      [
        name: string,
        wayOut: string,
        parts: {
          readonly open: () => Promise<Rotation>;
          readonly harm: (open: Rotation) => Promise<unknown>;
          readonly commands: readonly string[];
          /** Which of them, where they are a choice. */
          readonly only?: number;
        },
      ]
    >([
      [
        'a rotation that drains is rolled back',
        'roll-back',
        {
          open: drained,
          harm: ({ incoming }) => alter(incoming, ANOTHER),
          commands: ['rollback', 'rotate --emergency'],
          only: 0,
        },
      ],
      [
        'or ended as an emergency',
        'roll-back',
        {
          open: drained,
          harm: ({ incoming }) => alter(incoming, ANOTHER),
          commands: ['rollback', 'rotate --emergency'],
          only: 1,
        },
      ],
      [
        'an emergency that is published ends',
        'end-drain',
        {
          open: () => stoppedAt('revoke', 'started', 'emergency'),
          harm: ({ incoming }) => alter(incoming, ANOTHER),
          commands: ['rotate --emergency'],
        },
      ],
      [
        'a rotation that is not published yet need not be waited for',
        'wait',
        {
          open: () => stoppedAt('publish', 'started'),
          harm: ({ outgoing }) => alter(outgoing, ANOTHER),
          commands: ['rotate --emergency'],
        },
      ],
      [
        'a rotation is cancelled, and what somebody else published adopted',
        'end-then-adopt',
        {
          open: () => stoppedAt('publish', 'started'),
          harm: ({ outgoing }) => publishOutside(scenario, { username: String(outgoing), password: 'wrong' }),
          commands: ['cancel', 'rotate --adopt'],
        },
      ],
      [
        'a rotation that drains ends, and what somebody else published is adopted',
        'end-then-adopt',
        {
          open: drained,
          harm: ({ incoming }) => publishOutside(scenario, { username: String(incoming), password: 'wrong' }),
          commands: ['rotate --emergency', 'rotate --adopt'],
        },
      ],
    ])('%s (%s)', async (_name, wayOut, { open, harm, commands, only }) => {
      await harm(await open());
      const { carryOut, isWell } = operatorOf(scenario);
      expect(await isWell()).toBe(false);
      const found = factNamed('published-login-refused', await findingsOf(scenario));
      expect(found.params).toMatchObject({ wayOut });
      const named = commandsOf(found);
      const { name } = scenario.policy;
      expect(named.map((command) => command.replace(` ${name}`, ''))).toEqual(commands);
      for (const command of only === undefined ? named : [named[only] ?? '']) await carryOut(command);
      expect(await isWell()).toBe(true);
    });

    test('a rotation that is not published yet is waited for (wait)', async () => {
      const open = await stoppedAt('publish', 'started');
      await alter(open.outgoing, ANOTHER);
      const { work, isWell } = operatorOf(scenario);
      const found = factNamed('published-login-refused', await findingsOf(scenario));
      expect(found.params).toMatchObject({ wayOut: 'wait' });
      await work(open);
      expect(await isWell()).toBe(true);
    });
  });

  /** Carries out the commands of a fact, and expects all to be well then. */
  async function expectMended(fact: Fact, commands: readonly string[]): Promise<void> {
    const { name } = scenario.policy;
    expect(commandsOf(fact)).toEqual(commands.map((command) => command.replace('…', name)));
    const { carryOut, isWell } = operatorOf(scenario);
    for (const command of commandsOf(fact)) await carryOut(command);
    expect(await isWell()).toBe(true);
  }

  test('rollback-before-publish: a rotation that is not published is cancelled', async () => {
    const before = await scenario.published();
    await using context = scenario.context(await stoppedAt('verify', 'started'));
    const fact = factNamed('rollback-before-publish', [
      await failureOf(rollBack(context, { requestedBy: 'test' })),
    ]);
    await expectMended(fact, ['cancel …']);
    expect(await scenario.published()).toEqual(before);
  });

  test('cancel-after-publish: a rotation that is published is rolled back', async () => {
    const before = await scenario.published();
    await using context = scenario.context(await drained());
    const fact = factNamed('cancel-after-publish', [
      await failureOf(cancel(context, { requestedBy: 'test' })),
    ]);
    await expectMended(fact, ['rollback …']);
    expect((await scenario.published()).username).toBe(before.username);
  });

  test('rollback-after-revoke: the login that was shut out is published by another rotation', async () => {
    const before = await scenario.published();
    await using context = scenario.context(await stoppedAt('revoke', 'done'));
    const fact = factNamed('rollback-after-revoke', [
      await failureOf(rollBack(context, { requestedBy: 'test' })),
    ]);
    await expectMended(fact, ['rotate …']);
    expect((await scenario.published()).username).toBe(before.username);
  });

  test('incoming-login-dropped: the login is made again, and another rotation publishes it', async () => {
    const { id, incoming } = await stoppedAt('set', 'started');
    await scenario.admin.query(`DROP ROLE ${quoteIdentifier(String(incoming))}`);
    const [rotation] = await scenario.ledger.open(scenario.policy.name);
    expect(rotation).toMatchObject({ id });
    const fact = factNamed('incoming-login-dropped', [faultOf(await scenario.run(rotation as Rotation))]);
    await expectMended(fact, ['roles create …']);
    expect(await scenario.finish(await scenario.request())).toEqual(DONE);
    expect((await scenario.published()).username).toBe(incoming);
  });

  test('published-login-dropped: the login is made again, and the rotation goes on', async () => {
    const rotation = await drained();
    await scenario.admin.query(`DROP ROLE ${quoteIdentifier(String(rotation.incoming))}`);
    const fact = factNamed('published-login-dropped', [faultOf(await scenario.run(rotation))]);
    await expectMended(fact, ['roles create …']);
    expect((await scenario.published()).username).toBe(rotation.incoming);
  });

  test('staged-version-lost: another rotation stages another', async () => {
    const rotation = await scenario.request();
    const { ledger } = scenario;
    const losing = scenario.with({
      ledger: onLine(ledger, {
        async after({ step, kind }) {
          if (step !== 'set' || kind !== 'started') return;
          await scenario.store.discard(scenario.destinations[0].secrets, rotation.id);
        },
      }),
    });
    const fact = factNamed('staged-version-lost', [faultOf(await losing.run(rotation))]);
    const before = await scenario.published();
    await expectMended(fact, ['rotate …']);
    expect((await scenario.published()).username).not.toBe(before.username);
  });

  test('published-password-altered: the rotation is rolled back, or ended and what was altered adopted', async () => {
    const altered = async () => {
      const rotation = await drained();
      await appendFile(join(scenario.folder, 'app', 'password'), 'x');
      return factNamed('published-password-altered', [faultOf(await scenario.run(rotation))]);
    };
    const { name } = scenario.policy;
    const { carryOut, isWell } = operatorOf(scenario);
    const [rollback = ''] = commandsOf(await altered());
    expect(rollback).toBe(`rollback ${name}`);
    await carryOut(rollback);
    expect(await isWell()).toBe(true);

    const [, emergency = ''] = commandsOf(await altered());
    expect(emergency).toBe(`rotate ${name} --emergency`);
    await carryOut(emergency);
    // That ends the rotation. The next one asks before it takes over what was altered.
    const [last] = await scenario.ledger.latest({ policy: name, limit: 1 });
    const adopt = commandsOf(factNamed('outside-changes-stop', [last?.lastFault]));
    expect(adopt).toEqual([`rotate ${name} --emergency --adopt`]);
    for (const command of adopt) await carryOut(command);
    expect(await isWell()).toBe(true);
  });

  test('check-refused: the statements of all that was found let the next rotation pass', async () => {
    const [, standby] = scenario.policy.logins;
    await alter(standby, "VALID UNTIL '2020-01-01' CONNECTION LIMIT 0");
    const refused = factNamed('check-refused', [faultOf(await scenario.run(await scenario.request()))]);
    await runStatements(scenario.admin, refused);
    expect(await scenario.finish(await scenario.request())).toEqual(DONE);
    expect((await scenario.published()).username).toBe(standby);
  });

  test('publication-replaced: another rotation revokes what this one could not', async () => {
    const old = await scenario.published();
    const rotation = await drained();
    await publishOutside(scenario, old);
    const fact = factNamed('publication-replaced', [faultOf(await scenario.run(rotation))]);
    await expectMended(fact, ['rotate …']);
    await expect(scenario.logIn(old)).rejects.toMatchObject({ fact: { code: 'login-refused' } });
  });
});

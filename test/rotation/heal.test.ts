import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { type Fact, fact } from '../../src/facts/fact.ts';
import { command, sql } from '../../src/facts/remedy.ts';
import { checkRefused } from '../support/expected-facts.ts';
import { withLimitedRotator } from '../support/rotator.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

let opened: Scenario;
let role: Awaited<ReturnType<typeof withLimitedRotator>>;
let scenario: Scenario;

beforeEach(async () => {
  opened = await openScenario(inject('postgres'));
  role = await withLimitedRotator(opened);
  scenario = role.limited;
  expect(await scenario.finish(await scenario.request('first'))).toEqual({ status: 'done' });
});
afterEach(async () => {
  await role[Symbol.asyncDispose]();
  await opened[Symbol.asyncDispose]();
});

/** The published login was dropped or renamed, and is not there to be shut out. */
function missing(login: string, incoming: string): Fact {
  return fact(
    'published-login-missing',
    { login, incoming },
    command('roles', 'create', scenario.policy.name),
  );
}

test.each<[string, harm: (login: string) => string, told?: (login: string, incoming: string) => Fact]>([
  ['was dropped', (login) => `DROP ROLE ${login}`, missing],
  ['was renamed', (login) => `ALTER ROLE ${login} RENAME TO ${login}_renamed`, missing],
  [
    'expired',
    (login) => `ALTER ROLE ${login} VALID UNTIL '2001-01-01'`,
    (login) => fact('login-expired', { login }, sql(`ALTER ROLE "${login}" VALID UNTIL 'infinity'`)),
  ],
  ['may not log in', (login) => `ALTER ROLE ${login} NOLOGIN`],
  [
    'has CONNECTION LIMIT 0',
    (login) => `ALTER ROLE ${login} CONNECTION LIMIT 0`,
    (login) =>
      fact('login-connection-limit-zero', { login }, sql(`ALTER ROLE "${login}" CONNECTION LIMIT -1`)),
  ],
])(
  'a rotation heals: the published login %s, and the other one takes its place (G1)',
  async (_, harm, told) => {
    const broken = await scenario.published();
    const standby = scenario.policy.logins.find((login) => login !== broken.username) ?? '';
    await scenario.admin.query(harm(broken.username));
    await expect(scenario.logIn(broken)).rejects.toThrow();

    const rotation = await scenario.request();
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    const published = await scenario.published();
    expect(published.username).toBe(standby);
    await (await scenario.logIn(published))[Symbol.asyncDispose]();

    const events = await scenario.ledger.events([rotation.id]);
    const warnings = events.filter(({ kind }) => kind === 'warning').map(({ fact }) => fact);
    if (told) expect(warnings).toContainEqual(told(broken.username, standby));
    else expect(warnings).toEqual([]);
    const { rows } = await scenario.admin.query('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [
      broken.username,
    ]);
    expect(rows.filter(({ rolcanlogin }) => rolcanlogin)).toEqual([]);
    await scenario.admin.query(`DROP ROLE IF EXISTS ${broken.username}_renamed`);
  },
);

test('sessions of a published login that was dropped go on, and whoever rotates is told how to end them (G6)', async () => {
  const broken = await scenario.published();
  await using session = await scenario.logIn(broken);
  const { pid } = (await session.client.query('SELECT pg_backend_pid() AS pid')).rows[0];
  await scenario.admin.query(`DROP ROLE ${broken.username}`);
  const rotation = await scenario.request();
  expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  const events = await scenario.ledger.events([rotation.id]);
  const warnings = events.filter(({ kind }) => kind === 'warning').map(({ fact }) => fact);
  const end = `SELECT pg_catalog.pg_terminate_backend(${pid})`;
  // The server is that of other tests, too, which drop logins.
  expect(warnings).toContainEqual({
    code: 'sessions-of-dropped-logins',
    params: { count: expect.any(Number) },
    remedies: [{ kind: 'sql', statements: expect.arrayContaining([end]) }],
  });
});

test.each([
  ['login-connection-limit-zero', 'CONNECTION LIMIT 0', 'CONNECTION LIMIT -1'],
  ['login-expired', "VALID UNTIL '2001-01-01'", "VALID UNTIL 'infinity'"],
])('an incoming login that cannot log in is refused, with what mends it: %s', async (code, harm, remedy) => {
  const before = await scenario.published();
  const standby = scenario.policy.logins.find((login) => login !== before.username);
  await scenario.admin.query(`ALTER ROLE ${standby} ${harm}`);
  expect(await scenario.run(await scenario.request('emergency'))).toMatchObject({
    status: 'failed',
    error: {
      step: 'check',
      fact: {
        ...checkRefused({ code, params: { login: standby } }),
        remedies: [sql(`ALTER ROLE "${standby}" ${remedy}`)],
      },
    },
  });
  await (await scenario.logIn(before))[Symbol.asyncDispose]();
});

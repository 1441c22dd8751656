import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { withLimitedRotator } from '../support/rotator.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';
import { telling } from '../support/telling.ts';

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

test.each([
  ['was dropped', (login: string) => `DROP ROLE ${login}`, /does not exist, so consumers are refused/],
  [
    'was renamed',
    (login: string) => `ALTER ROLE ${login} RENAME TO ${login}_renamed`,
    /if it was renamed, shut it out under its new name/,
  ],
  ['expired', (login: string) => `ALTER ROLE ${login} VALID UNTIL '2001-01-01'`, /is past its VALID UNTIL/],
  ['may not log in', (login: string) => `ALTER ROLE ${login} NOLOGIN`, undefined],
  [
    'has CONNECTION LIMIT 0',
    (login: string) => `ALTER ROLE ${login} CONNECTION LIMIT 0`,
    /CONNECTION LIMIT 0/,
  ],
])(
  'a rotation heals: the published login %s, and the other one takes its place (G1)',
  async (_, harm, told) => {
    const broken = await scenario.published();
    const standby = scenario.policy.logins.find((login) => login !== broken.username);
    await scenario.admin.query(harm(broken.username));
    await expect(scenario.logIn(broken)).rejects.toThrow();

    const rotation = await scenario.request();
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
    const published = await scenario.published();
    expect(published.username).toBe(standby);
    await (await scenario.logIn(published))[Symbol.asyncDispose]();

    const events = await scenario.ledger.events([rotation.id]);
    const warnings = events.filter(({ kind }) => kind === 'warning').map(({ fact }) => fact);
    if (told) expect(warnings).toContainEqual(telling(told));
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
  expect(warnings).toContainEqual(telling(`SELECT pg_catalog.pg_terminate_backend(${pid})`));
});

test.each([
  ['has CONNECTION LIMIT 0', 'CONNECTION LIMIT 0', 'CONNECTION LIMIT -1'],
  ['is past its VALID UNTIL', "VALID UNTIL '2001-01-01'", "VALID UNTIL 'infinity'"],
])('an incoming login that %s is refused, with what mends it', async (_, harm, remedy) => {
  const before = await scenario.published();
  const standby = scenario.policy.logins.find((login) => login !== before.username);
  await scenario.admin.query(`ALTER ROLE ${standby} ${harm}`);
  expect(await scenario.run(await scenario.request('emergency'))).toMatchObject({
    status: 'failed',
    error: { step: 'check', fact: telling(`run: ALTER ROLE "${standby}" ${remedy}`) },
  });
  await (await scenario.logIn(before))[Symbol.asyncDispose]();
});

import { expect, inject, test } from 'vitest';
import type { Fact } from '../../src/facts/fact.ts';
import { statementsOf } from '../../src/messages/tell.ts';
import { type ListedLogin, listPolicy } from '../../src/roles/list-roles.ts';
import { policyStatus } from '../../src/rotation/status.ts';
import { type BarePolicy, openBarePolicy } from '../support/bare-policy.ts';

const server = inject('postgres');

/** What is listed of a policy's two logins, each as the given fields. */
async function list({ scenario }: BarePolicy, ...fields: (keyof ListedLogin)[]): Promise<unknown[][]> {
  const { policy, ledger } = scenario;
  await using context = scenario.preview();
  const history = (await ledger.summary([policy.name])).get(policy.name);
  const status = await policyStatus(policy, history, { timing: await ledger.timing(policy.name), context });
  const made = await ledger.provisions.made(policy.connection);
  const listed = await listPolicy(context, { status, last: history?.last, made });
  return listed.map((login) => fields.map((field) => login[field]));
}

test('a login is missing, on standby, active, waiting for no connections to be revoked, or disabled', async () => {
  await using bare = await openBarePolicy(server);
  const { admin, owner } = bare;
  const scenario = bare.scenario.with({
    policy: { ...bare.scenario.policy, drain: { grace: 0, timeout: 600_000, onTimeout: 'wait' } },
  });
  const [a, b] = scenario.policy.logins;
  const states = () => list({ ...bare, scenario }, 'login', 'state', 'made', 'sessions');
  expect(await states()).toEqual([
    [a, 'missing', false, null],
    [b, 'missing', false, null],
  ]);
  await bare.create();
  expect(await list(bare, 'memberOf', 'lastRotatedAt', 'faults')).toEqual([
    [[owner], null, []],
    [[owner], null, []],
  ]);
  await scenario.finish(await scenario.request());
  expect(await states()).toEqual([
    [a, 'active', true, 0],
    [b, 'standby', true, 0],
  ]);
  {
    await using _client = await scenario.logIn(await scenario.published());
    const rotation = await scenario.request();
    expect(await scenario.run(rotation)).toMatchObject({ status: 'waiting' });
    expect(await states()).toEqual([
      [a, 'waiting for no connections to be revoked', true, 1],
      [b, 'active', true, 0],
    ]);
  }
  const [rotation] = await scenario.ledger.open(scenario.policy.name);
  if (rotation) await scenario.finish(rotation);
  await admin.query(`ALTER ROLE ${b} NOLOGIN`);
  expect(await states()).toEqual([
    [a, 'standby', true, 0],
    [b, 'disabled', true, 0],
  ]);
});

test('what the rotator may not see is null and not 0, with the statement that lets it see that (G6)', async () => {
  await using bare = await openBarePolicy(server);
  await bare.create();
  await bare.admin.query(`REVOKE pg_read_all_stats FROM ${bare.rotator}`);
  const listed = await list(bare, 'state', 'sessions', 'faults');
  expect(listed).toEqual([
    ['standby', null, [expect.objectContaining({ code: 'sessions-hidden' })]],
    ['standby', null, [expect.objectContaining({ code: 'sessions-hidden' })]],
  ]);
  for (const faults of listed.map(([, , each]) => each as Fact[])) {
    expect(faults.map(statementsOf)).toEqual([[`GRANT pg_read_all_stats TO ${bare.rotator}`]]);
  }
  const closed = {
    ...bare,
    scenario: bare.scenario.with({ connection: { ...bare.scenario.connection, port: 1 } }),
  };
  expect(await list(closed, 'state', 'sessions', 'memberOf')).toEqual([
    [null, null, null],
    [null, null, null],
  ]);
});

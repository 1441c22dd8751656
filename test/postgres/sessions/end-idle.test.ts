import { expect, test } from 'vitest';
import { inTransaction } from '../../../src/postgres/connection/in-transaction.ts';
import { endIdle } from '../../../src/postgres/sessions/end-idle.ts';
import { sessionsOf } from '../../../src/postgres/sessions/sessions.ts';
import { logInAs, type OldClient } from '../../support/old-client.ts';
import { withRotatedScenario } from '../../support/rotated-scenario.ts';
import { withLimitedRotator } from '../../support/rotator.ts';
import type { Scenario } from '../../support/scenario.ts';

let scenario: Scenario;
withRotatedScenario((opened) => {
  scenario = opened;
});

async function endsOf({ client }: OldClient): Promise<{ pid: number; port: number }> {
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid, inet_client_port() AS port');
  return rows[0];
}

function end(login: string, sessions: Parameters<typeof endIdle>[2]): Promise<boolean> {
  return inTransaction(scenario.admin, () => endIdle(scenario.admin, login, sessions));
}

test('ends an idle session of the login, and none that is at work, another login’s, or at another port (G2)', async () => {
  const { username, password } = await scenario.published();
  const credential = { username, password };
  await using idle = await logInAs(scenario, credential);
  await using busy = await logInAs(scenario, credential);
  await using spared = await logInAs(scenario, credential);
  const [ofIdle, ofBusy, ofSpared] = await Promise.all([idle, busy, spared].map(endsOf));
  if (!ofIdle || !ofBusy || !ofSpared) throw new Error('unreachable');
  await busy.client.query('BEGIN');

  const all = [ofIdle, ofBusy, { ...ofSpared, port: ofSpared.port + 1 }, { pid: ofSpared.pid, port: null }];
  expect(await end('somebody_else', all)).toBe(true);
  expect(await end(username, [])).toBe(true);
  for (const { client } of [idle, busy, spared]) await client.query('SELECT 1');

  expect(await end(username, all)).toBe(true);
  await expect
    .poll(async () => (await sessionsOf(scenario.admin, [username])).get(username)?.map(({ pid }) => pid))
    .toEqual([ofBusy.pid, ofSpared.pid]);
  await busy.client.query('COMMIT');
  await spared.client.query('SELECT 1');
});

test('says that the rotator may not end them', async () => {
  await using role = await withLimitedRotator(scenario);
  const { username, password } = await scenario.published();
  await using idle = await logInAs(scenario, { username, password });
  const sessions = [await endsOf(idle)];
  await scenario.admin.query(`REVOKE pg_signal_backend FROM ${role.rotator}`);
  await using context = role.limited.context(await role.limited.request());
  const client = await context.rotator();
  expect(await inTransaction(client, () => endIdle(client, username, sessions))).toBe(false);
  await idle.client.query('SELECT 1');
});

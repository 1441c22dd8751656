import { expect, inject, test } from 'vitest';
import { factOf } from '../../../src/facts/fault.ts';
import { describeSession } from '../../../src/messages/database/describe-session.ts';
import { statementsOf } from '../../../src/messages/tell.ts';
import { sessionsOf, terminate } from '../../../src/postgres/sessions/sessions.ts';
import { adminOf } from '../../support/admin.ts';
import { uniqueName } from '../../support/unique-name.ts';

test('sessions are counted in every database of the cluster, and ended by pid', async () => {
  const server = inject('postgres');
  await using admin = await adminOf(server);
  const login = uniqueName('seen');
  await admin.client.query(`CREATE ROLE ${login} LOGIN PASSWORD 'seen'`);
  const account = { ...server, user: login, password: 'seen' };
  await using here = await adminOf(account);
  await using there = await adminOf(account, 'template1');
  await there.client.query('BEGIN');
  const sessions = (await sessionsOf(admin.client, [login, 'nobody'])).get(login) ?? [];
  expect(sessions.map(({ database }) => database).sort()).toEqual(['postgres', 'template1']);
  expect(sessions.map(describeSession)).toContainEqual(
    expect.stringMatching(
      /^keyturn test@127\.0\.0\.1 \(idle in transaction, in database template1, transaction \d+ s old\)$/,
    ),
  );
  const pids = sessions.map(({ pid }) => pid);
  await admin.client.query('BEGIN');
  expect(await terminate(admin.client, login, [...pids, 999_999])).toEqual([]);
  await admin.client.query('COMMIT');
  await expect(here.client.query('SELECT 1')).rejects.toThrow();
  await Promise.all([here[Symbol.asyncDispose](), there[Symbol.asyncDispose]()]);
  await expect.poll(async () => (await sessionsOf(admin.client, [login])).get(login)).toEqual([]);
  await admin.client.query(`DROP ROLE ${login}`);
});

test('a role that may not see sessions gets an error and not a zero (G6)', async () => {
  const server = inject('postgres');
  await using admin = await adminOf(server);
  const blind = uniqueName('blind');
  await admin.client.query(`CREATE ROLE ${blind} LOGIN PASSWORD 'blind'`);
  {
    await using session = await adminOf({ ...server, user: blind, password: 'blind' });
    const hidden = sessionsOf(session.client, ['anyone']);
    await expect(hidden).rejects.toMatchObject({
      fact: {
        code: 'sessions-hidden',
        params: { rotator: blind },
        remedies: [{ kind: 'sql', statements: [`GRANT pg_read_all_stats TO ${blind}`] }],
      },
    });
    const fact = await hidden.then(() => expect.unreachable(), factOf);
    for (const statement of statementsOf(fact)) await admin.client.query(statement);
    expect((await sessionsOf(session.client, ['anyone'])).get('anyone')).toEqual([]);
  }
  await admin.client.query(`DROP ROLE ${blind}`);
});

import { expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { isFault } from '../../src/facts/fault.ts';
import { sql } from '../../src/facts/remedy.ts';
import { openBarePolicy } from '../support/bare-policy.ts';

test('the rotator that is printed for rotations alone cannot grant, but rotates logins that a DBA created', async () => {
  await using bare = await openBarePolicy(inject('postgres'), { mayCreate: false });
  const { scenario, admin, owner, rotator } = bare;
  await admin.query(`CREATE ROLE ${owner}`);
  for (const login of scenario.policy.logins) {
    await admin.query(
      `CREATE ROLE ${login}; GRANT ${owner} TO ${login}; ALTER ROLE ${login} SET role = ${owner}`,
    );
    await admin.query(`GRANT ${login} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
  }
  expect(await scenario.finish(await scenario.request())).toEqual({ status: 'done' });
  const granting = `GRANT USAGE ON SCHEMA "public" TO "${rotator}" WITH GRANT OPTION`;
  await expect(bare.create({ access: 'read' })).rejects.toMatchObject({
    fact: {
      code: 'roles-rights-missing',
      params: {
        privileges: [],
        rights: [fact('cannot-pass-on-privileges', { privileges: ['USAGE'], schema: 'public' })],
      },
      remedies: [sql(granting)],
    },
  });
});

test('create grants what it can, and names the rest as one script for an administrator, with the whole command', async () => {
  await using bare = await openBarePolicy(inject('postgres'));
  const { scenario, admin, owner } = bare;
  const { host, port, database } = scenario.connection;
  await admin.query('CREATE TABLE orders (id serial); CREATE EXTENSION pg_stat_statements');
  const created = await bare.create({ access: 'read' });
  expect(created.left).toEqual([
    {
      code: 'privileges-left-to-superuser',
      params: { policy: scenario.policy.name, owners: [inject('postgres').user], count: expect.any(Number) },
      remedies: [
        {
          kind: 'command',
          command: `keyturn roles create ${scenario.policy.name} --access read --schema public --sql | psql -v ON_ERROR_STOP=1 -h ${host} -p ${port} -d ${database}`,
        },
      ],
    },
  ]);
  expect(await bare.exist(owner, ...scenario.policy.logins)).toEqual([true, true, true]);
  {
    await using session = await bare.as(scenario.policy.logins[0]);
    await expect(session.query('SELECT * FROM orders')).rejects.toMatchObject({ code: '42501' });
  }
  const { changes } = await bare.plan({ access: 'read', executor: 'administrator' });
  expect(created.left[0]?.params).toMatchObject({ count: changes.length });
  await admin.query(['BEGIN', ...changes.map(({ sql }) => sql), 'COMMIT'].join(';\n'));
  expect(await bare.create({ access: 'read' })).toMatchObject({ changes: [], left: [] });
  {
    await using session = await bare.as(scenario.policy.logins[0]);
    await session.query('SELECT * FROM orders');
  }
  await admin.query(`DROP OWNED BY ${owner}`);
});

test('when several create at once, nothing is created twice', async () => {
  await using bare = await openBarePolicy(inject('postgres'));
  const outcomes = await Promise.allSettled([bare.create(), bare.create(), bare.create()]);
  const made = outcomes.flatMap((outcome) =>
    outcome.status === 'fulfilled' ? [outcome.value.makes.length] : [],
  );
  expect(made.toSorted().at(-1)).toBe(3);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') expect(isFault(outcome.reason, 'roles-locked')).toBe(true);
  }
  expect((await bare.create()).changes).toEqual([]);
});

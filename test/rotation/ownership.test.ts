import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { ensureDatabase } from '../../src/postgres/embedded/provision-embedded.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { plan } from '../../src/rotation/plan.ts';
import { adminOf } from '../support/admin.ts';
import { type Warning, warningsOf } from '../support/draining.ts';
import { logInAs } from '../support/old-client.ts';
import { openScenario, type Scenario } from '../support/scenario.ts';

let scenario: Scenario;
beforeEach(async () => {
  scenario = await openScenario(inject('postgres'));
});
afterEach(() => scenario[Symbol.asyncDispose]());

async function rotate(from: Scenario): Promise<Warning[]> {
  const rotation = await from.request();
  expect(await from.finish(rotation)).toEqual({ status: 'done' });
  return warningsOf(from, rotation);
}

test('with an owner, what either login made can be used, altered and dropped by the other, and nothing is warned of', async () => {
  const owner = `${scenario.policy.logins[0]}_owner`;
  const group = quoteIdentifier(owner);
  await scenario.admin.query(`CREATE ROLE ${group}`);
  await scenario.admin.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${group}`);
  for (const login of scenario.policy.logins.map(quoteIdentifier)) {
    await scenario.admin.query(`GRANT ${group} TO ${login}; ALTER ROLE ${login} SET role = ${group}`);
  }
  const owned = scenario.with({ policy: { ...scenario.policy, owner } });
  let made: string | undefined;
  for (const table of ['made_first', 'made_by_the_other', 'made_again']) {
    expect(await rotate(owned)).toEqual([]);
    await using session = await logInAs(owned, await owned.published());
    if (made) {
      await session.client.query(`INSERT INTO ${made} VALUES (1)`);
      await session.client.query(`ALTER TABLE ${made} ADD COLUMN more int`);
      await session.client.query(`DROP TABLE ${made}`);
    }
    await session.client.query(`CREATE TABLE ${table} (id int)`);
    made = table;
  }
  await scenario.admin.query(`DROP OWNED BY ${group}; DROP ROLE ${group}`);
});

test('without an owner, a rotation goes on and warns of what belongs to a login, in every database', async () => {
  const [a, b] = scenario.policy.logins;
  const name = quoteIdentifier(a);
  const elsewhere = `${a}_elsewhere`;
  await ensureDatabase(scenario.admin, elsewhere);
  for (const database of [scenario.connection.database, elsewhere]) {
    await using admin = await adminOf(inject('postgres'), database);
    await admin.client.query(`CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO ${name}`);
  }
  const warning = fact('login-owns-objects', {
    login: a,
    other: b,
    owned: [
      { database: scenario.connection.database, count: 1, examples: ['table keyturn.orders'] },
      { database: elsewhere, count: 1, examples: [] },
    ],
    owner: null,
    statement: `REASSIGN OWNED BY ${name} TO that role`,
  });
  const rotation = await scenario.request();
  {
    await using context = scenario.context(rotation);
    expect((await plan(context))[0]).toMatchObject({
      step: 'check',
      state: 'next',
      warnings: [warning],
    });
  }
  expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  expect(await rotate(scenario)).toEqual([{ step: 'check', ...warning }]);
  await using admin = await adminOf(inject('postgres'));
  await admin.client.query(`DROP DATABASE ${quoteIdentifier(elsewhere)}`);
});

test('with an owner, what was a login’s own before is warned of with the statement that hands it over', async () => {
  const [a, b] = scenario.policy.logins.map(quoteIdentifier) as [string, string];
  const owner = `${scenario.policy.logins[0]}_owner`;
  const group = quoteIdentifier(owner);
  await scenario.admin.query(
    `CREATE ROLE ${group}; CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO ${a}`,
  );
  await scenario.admin.query(`GRANT ${group} TO ${a}, ${b}`);
  for (const login of [a, b]) await scenario.admin.query(`ALTER ROLE ${login} SET role = ${group}`);
  const owned = scenario.with({ policy: { ...scenario.policy, owner } });
  const [login, other] = scenario.policy.logins;
  const statement = `REASSIGN OWNED BY ${a} TO ${group}`;
  expect(await rotate(owned)).toMatchObject([
    { step: 'check', code: 'login-owns-objects', params: { login, other, owner, statement } },
  ]);
  await scenario.admin.query(statement);
  expect(await rotate(owned)).toEqual([]);
  await scenario.admin.query(`DROP OWNED BY ${group}; DROP ROLE ${group}`);
});

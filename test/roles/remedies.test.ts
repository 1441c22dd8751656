import { describe, expect, inject, test } from 'vitest';
import { fact } from '../../src/facts/fact.ts';
import { command, sql } from '../../src/facts/remedy.ts';
import { statementsOf } from '../../src/messages/tell.ts';
import { ensureDatabase } from '../../src/postgres/embedded/provision-embedded.ts';
import { lockKey } from '../../src/postgres/locks/lock-holders.ts';
import { adminOf } from '../support/admin.ts';
import { type BarePolicy, openBarePolicy } from '../support/bare-policy.ts';
import { operatorOf } from '../support/named-commands.ts';
import { commandsOf, failureOf, runStatements } from '../support/remedies.ts';
import { uniqueName } from '../support/unique-name.ts';

const server = inject('postgres');

/** A role whose rights are needed for a table, and that the rotator may make itself a member of. */
async function makeMigrator({ admin, rotator }: BarePolicy, { administered = true } = {}): Promise<string> {
  const migrator = uniqueName('migrator');
  await admin.query(`CREATE ROLE ${migrator}`);
  if (administered) {
    await admin.query(`GRANT ${migrator} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
  }
  return migrator;
}

describe('what a message says to run puts right', () => {
  test('objects of a login in another database', async () => {
    await using bare = await openBarePolicy(server);
    const { scenario, owner } = bare;
    const [login] = scenario.policy.logins;
    await bare.create();
    const elsewhere = uniqueName('elsewhere');
    await ensureDatabase(bare.admin, elsewhere);
    {
      await using other = await adminOf(server, elsewhere);
      await other.client.query(`CREATE TABLE public.report (); ALTER TABLE public.report OWNER TO ${login}`);
      const { left } = await bare.repair();
      const remedy = sql(`REASSIGN OWNED BY "${login}" TO "${owner}"`);
      expect(left).toEqual([
        fact('objects-in-other-database', { role: login, count: 1, database: elsewhere }, remedy),
      ]);
      for (const statement of left.flatMap(statementsOf)) await other.client.query(statement);
    }
    expect((await bare.repair()).left).toEqual([]);
    await bare.admin.query(`DROP DATABASE ${elsewhere}`);
  });

  test('objects of a login here, of which create warns', async () => {
    await using bare = await openBarePolicy(server);
    const { admin, owner } = bare;
    const { name, logins } = bare.scenario.policy;
    await bare.create();
    await admin.query(`CREATE TABLE own (); ALTER TABLE own OWNER TO ${logins[0]}`);
    expect((await bare.create()).warnings).toEqual([
      fact('objects-of-login', { role: logins[0], count: 1, owner }, command('roles', 'repair', name)),
    ]);
    await bare.repair();
    expect((await bare.create()).warnings).toEqual([]);
    await admin.query('DROP TABLE own');
  });

  test('a rotator that may not alter the logins is told each right that it lacks before anything is done', async () => {
    await using bare = await openBarePolicy(server);
    const { admin, rotator } = bare;
    await bare.create({ access: 'none' });
    await admin.query(`ALTER ROLE "${rotator}" NOCREATEROLE`);
    const refused = await failureOf(bare.create({ access: 'none' }));
    expect(refused).toMatchObject({ code: 'roles-rights-missing', params: { rotator, rights: [] } });
    for (const statement of statementsOf(refused)) await admin.query(statement);
    expect(await bare.create({ access: 'none' })).toMatchObject({ changes: [] });
  });

  test('an owner that is gone while a login is to be dropped that owns something', async () => {
    await using bare = await openBarePolicy(server);
    const { admin, owner, rotator } = bare;
    const [login] = bare.scenario.policy.logins;
    await bare.create({ access: 'none' });
    await admin.query(`CREATE TABLE own (); ALTER TABLE own OWNER TO ${login}`);
    await admin.query(`DROP OWNED BY ${owner}; DROP ROLE ${owner}`);
    const gone = await failureOf(bare.drop());
    expect(gone).toEqual(fact('drop-owner-missing', { owner }, sql(`CREATE ROLE "${owner}" NOLOGIN`)));
    for (const statement of statementsOf(gone)) await admin.query(statement);
    const unadministered = await failureOf(bare.drop());
    expect(unadministered).toMatchObject({
      code: 'roles-rights-missing',
      params: { rotator, privileges: [], rights: [fact('cannot-act-for-role', { role: owner })] },
    });
    for (const statement of statementsOf(unadministered)) await admin.query(statement);
    expect((await bare.drop()).facts).toContainEqual(
      fact('hand-over-objects', { from: login, to: owner, count: 1, examples: ['table public.own'] }),
    );
    await admin.query(`DROP TABLE own; DROP OWNED BY ${owner}`);
  });

  test('another session that changes roles and does not end', async () => {
    await using bare = await openBarePolicy(server);
    await using other = await adminOf(server, bare.scenario.connection.database);
    const ended = new Promise((resolve) => other.client.once('end', resolve));
    await other.client.query(`SELECT pg_advisory_lock(${lockKey(['keyturn roles'])})`);
    const failure = await failureOf(bare.create());
    expect(failure).toMatchObject({
      code: 'roles-locked',
      params: { cause: { code: 'roles-turn-taken', params: { holders: [{ state: 'idle' }] } } },
    });
    const { cause } = failure.params as { cause: Parameters<typeof statementsOf>[0] };
    expect(statementsOf(cause)).toHaveLength(1);
    for (const statement of statementsOf(cause)) await bare.admin.query(statement);
    await ended;
    expect((await bare.create()).makes).toHaveLength(3);
  });

  test('a membership that does not let the rotator use the rights of the role', async () => {
    await using bare = await openBarePolicy(server);
    const { admin, owner, rotator } = bare;
    const migrator = await makeMigrator(bare);
    await admin.query(`CREATE TABLE orders (); ALTER TABLE orders OWNER TO ${migrator};
      GRANT ${migrator} TO ${rotator} WITH INHERIT FALSE, SET FALSE GRANTED BY ${rotator}`);
    const failure = await failureOf(bare.create({ access: 'read' }));
    expect(failure).toMatchObject({
      code: 'roles-rights-missing',
      params: { privileges: [], rights: [fact('cannot-use-rights-of-role', { role: migrator })] },
    });
    for (const statement of statementsOf(failure)) await admin.query(statement);
    expect((await bare.create({ access: 'read' })).makes).toContain(owner);
    await admin.query(`DROP OWNED BY ${migrator} CASCADE; DROP OWNED BY ${owner}; DROP ROLE ${migrator}`);
  });

  test('a role of which the rotator may not make the standby a member', async () => {
    await using bare = await openBarePolicy(server);
    const { admin, scenario, owner } = bare;
    const [a, b] = scenario.policy.logins;
    const group = await makeMigrator(bare, { administered: false });
    await bare.create();
    await scenario.finish(await scenario.request());
    await admin.query(`GRANT ${group} TO ${a}`);
    const failure = await failureOf(bare.repair());
    expect(failure).toMatchObject({
      code: 'roles-rights-missing',
      params: { privileges: [], rights: [fact('cannot-make-members', { role: group })] },
    });
    for (const statement of statementsOf(failure)) await admin.query(statement);
    expect((await bare.repair()).changes.map(({ does }) => does)).toEqual([
      fact('copy-membership', { role: group, member: b, like: a }),
    ]);
    await admin.query(`DROP OWNED BY ${owner}; DROP OWNED BY ${group} CASCADE; DROP ROLE ${group}`);
  });

  test('a rotation that is open while the roles are to be dropped', async () => {
    await using bare = await openBarePolicy(server);
    const { logins, name } = bare.scenario.policy;
    await bare.create();
    await bare.scenario.request();
    const failure = await failureOf(bare.drop());
    expect(failure.code).toBe('drop-during-rotation');
    expect(commandsOf(failure)).toEqual([`cancel ${name}`]);
    for (const command of commandsOf(failure)) await operatorOf(bare.scenario).carryOut(command);
    expect(await bare.drop()).toMatchObject({ dropped: expect.arrayContaining([...logins]) });
  });

  test('grants that PostgreSQL accepts from the rotator without an effect', async () => {
    await using bare = await openBarePolicy(server);
    const { admin, owner, rotator } = bare;
    const migrator = await makeMigrator(bare);
    // As a platform does that takes back what others than its administrators grant.
    await admin.query(`CREATE TABLE orders (); ALTER TABLE orders OWNER TO ${migrator};
      CREATE FUNCTION take_back() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        IF session_user = '${rotator}' AND EXISTS (
            SELECT FROM pg_event_trigger_ddl_commands() WHERE object_type = 'TABLE') THEN
          REVOKE ALL ON public.orders FROM ${owner};
        END IF;
      END $$;
      CREATE EVENT TRIGGER take_back ON ddl_command_end WHEN TAG IN ('GRANT') EXECUTE FUNCTION take_back()`);
    // The roles are there, so that the grant is all that fails.
    await bare.create({ access: 'none' });
    const failure = await failureOf(bare.create({ access: 'read' }));
    expect(failure).toMatchObject({
      code: 'role-changes-without-effect',
      params: { changes: [{ code: 'grant-privileges' }] },
    });
    await runStatements(admin, failure);
    expect((await bare.create({ access: 'read' })).changes).not.toEqual([]);
    expect((await bare.create({ access: 'read' })).changes).toEqual([]);
    await admin.query('DROP EVENT TRIGGER take_back; DROP FUNCTION take_back; DROP TABLE orders');
    await admin.query(`DROP OWNED BY ${migrator} CASCADE; DROP OWNED BY ${owner}; DROP ROLE ${migrator}`);
  });

  test('public-privileges: what everybody may do beyond the level', async () => {
    await using bare = await openBarePolicy(server);
    await bare.admin.query('GRANT CREATE ON SCHEMA public TO PUBLIC');
    const { warnings } = await bare.create({ access: 'read' });
    expect(warnings).toMatchObject([{ code: 'public-privileges', params: { privileges: ['CREATE'] } }]);
    for (const warning of warnings) await runStatements(bare.admin, warning);
    expect((await bare.create()).warnings).toEqual([]);
    await bare.admin.query(`DROP OWNED BY ${bare.owner}`);
  });
});

import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { type BarePolicy, openBarePolicy } from '../support/bare-policy.ts';

let bare: BarePolicy;
beforeEach(async () => {
  bare = await openBarePolicy(inject('postgres'));
});
afterEach(() => bare[Symbol.asyncDispose]());

const actions = () => bare.scenario.ledger.actions.latest({ limit: 9 });
const logins = () => bare.exist(...bare.scenario.policy.logins);

test('no role is changed when the ledger cannot keep that it will be (G6)', async () => {
  await bare.admin.query('ALTER TABLE keyturn.action RENAME TO away');
  await expect(bare.create()).rejects.toThrow();
  expect(await logins()).toEqual([false, false]);
});

test('a change that was made, but whose end the ledger could not keep, is not called done (G6)', async () => {
  // Each UPDATE fails, so only the beginning is written.
  await bare.admin.query(
    `CREATE FUNCTION keyturn.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
     CREATE TRIGGER refuse BEFORE UPDATE ON keyturn.action FOR EACH ROW EXECUTE FUNCTION keyturn.refuse()`,
  );
  await expect(bare.create()).rejects.toThrow('no');
  expect(await logins()).toEqual([true, true]);
  expect(await actions()).toMatchObject([{ kind: 'create', status: 'open', finishedAt: null }]);
});

test('a change that PostgreSQL refuses is kept as failed, with the reason', async () => {
  await bare.admin.query(
    `CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no grants here'; END $$;
     CREATE EVENT TRIGGER refuse_${bare.rotator} ON ddl_command_end WHEN TAG IN ('GRANT')
       EXECUTE FUNCTION public.refuse()`,
  );
  await expect(bare.create({ access: 'read' })).rejects.toMatchObject({
    fact: { code: 'role-change-failed' },
  });
  expect(await logins()).toEqual([false, false]);
  expect(await actions()).toMatchObject([
    { kind: 'create', status: 'failed', fact: { code: 'role-change-failed' } },
  ]);
});

test('a command that has nothing to do, or is refused before it changes anything, leaves no line', async () => {
  await bare.create();
  await bare.create();
  const rotation = await bare.scenario.request();
  await expect(bare.drop()).rejects.toMatchObject({ fact: { code: 'drop-during-rotation' } });
  await bare.scenario.ledger.finish(rotation, 'failed');
  expect((await actions()).map(({ kind }) => kind)).toEqual(['create']);
});

test('a repair, a restore and a drop leave a line each, with what was done', async () => {
  await bare.create();
  await bare.scenario.finish(await bare.scenario.request());
  const { username } = await bare.scenario.published();
  await bare.admin.query(`ALTER ROLE ${quoteIdentifier(username)} CONNECTION LIMIT 0`);
  await bare.repair();
  await bare.admin.query(`ALTER ROLE ${quoteIdentifier(username)} NOLOGIN`);
  await bare.restore();
  // It works, so there is nothing to restore.
  await bare.restore();
  // A session of another test that is just starting holds a drop up, which is kept as failed.
  await expect
    .poll(() => bare.drop().catch(({ fact }) => fact.code), { timeout: 20_000 })
    .toMatchObject({
      dropped: expect.anything(),
    });
  const done = (await actions()).filter(({ status }) => status !== 'failed');
  expect(done).toMatchObject([
    { kind: 'drop', status: 'done', fact: { code: 'roles-dropped' } },
    { kind: 'restore', status: 'done', fact: { code: 'roles-changed', params: { changes: 2 } } },
    { kind: 'repair', status: 'done', fact: { code: 'roles-changed', params: { changes: 1 } } },
    { kind: 'create', status: 'done', fact: { code: 'roles-changed' } },
  ]);
});

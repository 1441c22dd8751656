import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { connect } from '../../src/postgres/connection/connect.ts';
import { refusedAs } from '../../src/postgres/connection/refused-as.ts';
import { cancel } from '../../src/rotation/cancel.ts';
import { checkRefused } from '../support/expected-facts.ts';
import { haveOlderVersions, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { startReplica } from '../support/replica.ts';
import { CONFIGURED, expectKept, openRotatorScenario } from '../support/rotator-scenario.ts';
import type { Scenario, ServerAddress } from '../support/scenario.ts';

const STEPS = ['check', 'stage', 'set', 'verify', 'publish'];

describe.each([
  ['PostgreSQL 14', 14, haveOlderVersions],
  ['PostgreSQL 18', undefined, true],
] as const)('on %s', (_name, version, have) => {
  let started: PostgresServer | undefined;
  let server: ServerAddress;
  beforeAll(async () => {
    if (version && have) started = await startPostgres({ version, settings: { log_statement: 'all' } });
    server = started ?? inject('postgres');
  });
  afterAll(() => started?.[Symbol.asyncDispose]());

  test.skipIf(!have)(
    'a rotator rotates its own password four times, and the logins of its other policy in between (G3)',
    async () => {
      await using world = await openRotatorScenario(server);
      const own = world.fresh();
      const others = world.freshLogins();
      await using old = await own.logIn({ username: world.rotator, password: CONFIGURED });
      const passwords = [CONFIGURED];
      for (let round = 0; round < 4; round += 1) {
        const rotation = await own.request();
        expect(await own.finish(rotation)).toEqual({ status: 'done' });
        const { username, password } = await own.published();
        expect(username).toBe(world.rotator);
        await using _session = await own.logIn({ username, password });
        await expect(own.logIn({ username, password: String(passwords.at(-1)) })).rejects.toMatchObject({
          fact: { code: 'login-refused' },
        });
        expect(passwords).not.toContain(password);
        passwords.push(password);

        const row = await own.ledger.find(rotation.id);
        expect(row).toMatchObject({ incoming: world.rotator, outgoing: null });
        const events = await own.ledger.events([rotation.id]);
        expect(events.filter(({ kind }) => kind === 'done').map(({ step }) => step)).toEqual(STEPS);
        expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]);
        // In one process that knows the password from before, and in one that was just started.
        const each = round % 2 === 0 ? others : world.freshLogins();
        expect(await each.finish(await each.request())).toEqual({ status: 'done' });
      }
      // Whoever was logged in still is.
      expect((await old.client.query('SELECT current_user AS name')).rows).toEqual([{ name: world.rotator }]);

      const { rows } = await own.admin.query('SELECT rolpassword FROM pg_authid WHERE rolname = $1', [
        world.rotator,
      ]);
      expect(rows[0].rolpassword).toMatch(/^SCRAM-SHA-256\$/);
      const { rows: kept } = await own.admin.query('TABLE keyturn.rotation');
      const { rows: history } = await own.admin.query('TABLE keyturn.event');
      const seen = JSON.stringify([kept, history]) + ((await started?.readLog()) ?? '');
      // That one was configured in clear when the role was made.
      for (const password of passwords.slice(1)) expect(seen).not.toContain(password);
      if (started) expect(seen).toContain(`ALTER ROLE "${world.rotator}" PASSWORD 'SCRAM-SHA-256$`);
    },
  );

  // A server of its own, so that the one that all files share gets no replica.
  if (version === undefined) return;
  test.skipIf(!have)(
    'the new password is published once a replica takes it too, and until then the old one gets in there; one that lags later on is waited for',
    async () => {
      if (!started) return;
      await using replica = await startReplica(started);
      await using world = await openRotatorScenario(started);
      const { port } = replica;
      const seeing = (from: Scenario) =>
        from.with({
          connection: {
            ...from.connection,
            replicas: [{ host: '127.0.0.1', port, tls: { mode: 'disable' } }],
          },
        });
      await replica.catchUp();
      await replica.pause();
      const own = seeing(world.fresh());
      const rotation = await own.request();
      for (const each of [own, seeing(world.fresh())]) {
        expect(await each.run(rotation)).toMatchObject({
          status: 'waiting',
          fact: { code: 'replicas-catching-up', params: { login: world.rotator, missing: 'password' } },
        });
      }
      // That the old password gets in on a standby is no proof that the staged one is not the rotator's.
      await using astray = own.with({ connection: { ...own.connection, port } }).context(rotation);
      await expect(cancel(astray, { requestedBy: 'somebody' })).rejects.toMatchObject({
        fact: checkRefused({ code: 'server-is-standby', params: { server: `127.0.0.1:${port}` } }),
      });
      await replica.resume();
      await replica.catchUp();
      expect(await own.finish(rotation)).toEqual({ status: 'done' });
      expect(world.staged.size).toBe(1);
      const { username: user, password } = await own.published();
      await using _session = await connect({ ...own.connection, port, user, password });

      // Through another connection, which is not waited for.
      await replica.pause();
      const there = () => connect({ ...world.fresh().connection, port });
      const elsewhere = world.fresh();
      expect(await elsewhere.finish(await elsewhere.request())).toEqual({ status: 'done' });
      await (await there())[Symbol.asyncDispose]();
      expect(await elsewhere.finish(await elsewhere.request())).toEqual({ status: 'done' });
      const logins = seeing(world.freshLogins());
      const waiting = await logins.request();
      expect(await logins.run(waiting)).toMatchObject({
        status: 'retrying',
        error: {
          step: 'check',
          fact: {
            code: 'replica-refuses-rotator-passwords',
            params: {
              replica: { name: `127.0.0.1:${port}`, connection: 'target' },
              server: expect.stringContaining(`${user}@127.0.0.1:${port}/`),
              policy: own.policy.name,
              destination: 'files (primary)',
              connection: 'target',
            },
          },
        },
      });
      await replica.resume();
      await replica.catchUp();
      expect(await logins.finish(waiting)).toEqual({ status: 'done' });
    },
  );

  test.skipIf(!have)(
    'what is staged is kept while pg_hba.conf has no entry for the rotator, and published once it has one again (G4, G5)',
    async () => {
      if (!started) return;
      await using world = await openRotatorScenario(started);
      const own = world.fresh();
      const file = join(started.server.data, 'pg_hba.conf');
      const rules = await readFile(file, 'utf8');
      const write = async (text: string, isIn: boolean) => {
        await writeFile(file, text);
        await own.admin.query('SELECT pg_reload_conf()');
        const tries = async () => (await refusal(own, world.rotator)) === 'password';
        await expect.poll(tries).toBe(isIn);
      };
      await expectKept(own, await own.request(), {
        bar: () => write(`host all ${world.rotator} all reject\n${rules}`, false),
        lift: () => write(rules, true),
        why: {
          code: 'login-refused',
          params: { because: 'entry', detail: expect.stringContaining('pg_hba.conf rejects') },
        },
      });
      expect(world.staged.size).toBe(1);
    },
  );
});

/** Why a wrong password of a login is refused. */
async function refusal(scenario: Scenario, username: string): Promise<unknown> {
  const error: unknown = await scenario.logIn({ username, password: 'wrong' }).catch((error) => error);
  return refusedAs(error);
}

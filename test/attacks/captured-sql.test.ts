import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApp } from '../../src/app.ts';
import type { Session } from '../../src/postgres/connection/connect.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { haveOlderVersions, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type Recorded, recordStatements } from '../support/record-statements.ts';
import { resolved } from '../support/resolved.ts';
import { plantTraps, type Traps } from '../support/traps.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

const HOSTILE = 'public, pg_catalog';

describe.each([
  { name: 'PostgreSQL 14', version: 14 as const, skipped: !haveOlderVersions },
  { name: 'the newest PostgreSQL', version: undefined, skipped: false },
])('with functions, operators, types and tables planted in public on $name', ({ version, skipped }) => {
  describe.skipIf(skipped)('of the target and of the state database', () => {
    let server: PostgresServer;
    let workspace: Workspace;
    const planting: Session[] = [];
    const traps = new Map<string, Traps>();
    let recorded: readonly Recorded[] = [];

    beforeAll(async () => {
      server = await startPostgres(version ? { version } : {});
      workspace = await openWorkspace(server);
      const yaml = filePolicy(workspace.logins, '    schedule: { every: 30d }\n');
      await workspace.configure(yaml.replace('grace: 0s, timeout: 5s', 'grace: 60s, timeout: 90s'));
      for (const database of [workspace.target, workspace.state]) {
        const session = await adminOf(server, database);
        planting.push(session);
        traps.set(database, await plantTraps(session.client));
        await session.client.query(
          `ALTER DATABASE ${quoteIdentifier(database)} SET search_path TO ${HOSTILE}`,
        );
      }
    });

    afterAll(async () => {
      for (const session of planting) await session[Symbol.asyncDispose]();
      await workspace[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });

    const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
    const sprung = () => Promise.all([...traps.values()].map((each) => each.sprung()));
    const state = async () => JSON.parse((await run('status', '--json')).stdout)[0].state;

    async function drain(): Promise<void> {
      await expectDone('rotate', 'app');
      await expect.poll(state).toBe('draining');
    }

    async function expectDone(...args: string[]): Promise<string> {
      const { code, stdout, stderr } = await run(...args);
      expect({ args, code, stderr }).toMatchObject({ args, code: 0 });
      return stdout;
    }

    test('they spring in a session that is not pinned, so they work', async () => {
      for (const [database, { sprung, planted }] of traps) {
        expect(await sprung()).toBe(0);
        await using stranger = await adminOf(server, database);
        const { client } = stranger;
        await client.query('SET search_path TO public');
        // What was captured before: an operator that pg_catalog serves by a cast only.
        const captured = 'SELECT FROM pg_catalog.pg_roles WHERE oid = 0';
        const ids = await planted();
        expect([...(await resolved(client, captured))].some((id) => ids.has(id))).toBe(true);
        await client.query(captured);
        expect(await sprung()).toBeGreaterThan(0);
        await client.query('ALTER SEQUENCE traps.sprung RESTART');
        expect(await sprung()).toBe(0);
      }
    });

    test('no command and no rotation runs any of it', async () => {
      using recording = recordStatements();
      await using app = await openApp({
        configPath: 'config',
        cwd: workspace.folder,
        env: { KEYTURN_LOG_LEVEL: 'silent' },
      });
      for (const command of ['validate', 'doctor', 'plan', 'status']) await expectDone(command);
      await expectDone('schedule', 'app');
      await expectDone('roles', 'create', 'app', '--access', 'read-write');
      await expectDone('roles', 'list');
      await expectDone('rotate', 'app', '--inline', '--emergency', '--yes');
      await app.work();
      await drain();
      for (const command of ['status', 'plan']) await expectDone(command);
      await expectDone('rotate', 'app', '--emergency', '--yes');
      await drain();
      await expectDone('rollback', 'app');
      for (const command of ['pause', 'resume', 'cancel']) await run(command, 'app');
      for (const command of ['history', 'doctor']) await expectDone(command);
      await run('roles', 'repair', 'app', '--yes');
      await workspace.logIn();
      expect(await sprung()).toEqual([0, 0]);
      recorded = recording.statements;
    });

    test('no script that is printed for a superuser runs any of it', async () => {
      const changes = await expectDone('roles', 'create', 'app', '--access', 'read', '--sql');
      const rotator = uniqueName('rotator');
      await workspace.configure(filePolicy(workspace.logins), { connection: { user: rotator } });
      const script = await expectDone('roles', 'rotator');
      await using superuser = await adminOf(server, workspace.target);
      for (const each of [changes, script]) await superuser.client.query(each);
      // It fails unless the script has made the role.
      await superuser.client.query(`ALTER ROLE ${rotator} NOLOGIN`);
      expect(await sprung()).toEqual([0, 0]);
    });

    test('no statement means any of it, in a session that is not pinned either', async () => {
      const statements = recorded.filter(({ sql }) => /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/.test(sql));
      expect(statements.length).toBeGreaterThan(40);
      const captured: unknown[] = [];
      for (const [database, { planted }] of traps) {
        const ids = await planted();
        await using stranger = await adminOf(server, database);
        await stranger.client.query(`SET search_path TO ${HOSTILE}`);
        for (const { sql } of statements.filter((each) => each.database === database)) {
          const means = await resolved(stranger.client, sql).catch((error: Error) => [error.message]);
          const found = [...means].filter((id) => ids.has(id) || !/^\d+$/.test(id));
          if (found.length > 0) captured.push({ sql, found });
        }
      }
      expect(captured).toEqual([]);
    });
  });
});

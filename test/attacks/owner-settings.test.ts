import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { haveOlderVersions, type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

/** What the owner of a database may set for everybody who connects to it. */
const SETTINGS: Readonly<Record<string, string>> = {
  default_transaction_read_only: 'on',
  transaction_timeout: "'1ms'",
  idle_session_timeout: "'1ms'",
  idle_in_transaction_session_timeout: "'1ms'",
  statement_timeout: "'1ms'",
  lock_timeout: "'1ms'",
  local_preload_libraries: "'no_such_library'",
  exit_on_error: 'on',
  search_path: "'nowhere'",
  standard_conforming_strings: 'off',
  default_transaction_isolation: 'serializable',
  client_min_messages: 'debug5',
};

describe.each([
  { name: 'PostgreSQL 14', version: 14 as const, skipped: !haveOlderVersions },
  { name: 'the newest PostgreSQL', version: undefined, skipped: false },
])('on $name', ({ version, skipped }) => {
  describe.skipIf(skipped)('the owner of a database', () => {
    let server: PostgresServer;
    let workspace: Workspace;
    const [owner, weak] = [uniqueName('owner'), uniqueName('weak')];
    const settings = Object.entries(SETTINGS).filter(
      ([setting]) => version === undefined || setting !== 'transaction_timeout',
    );

    beforeAll(async () => {
      server = await startPostgres(version ? { version } : {});
      workspace = await openWorkspace(server);
      await asSuperuser(
        `CREATE ROLE ${owner}; CREATE ROLE ${weak}; ALTER DATABASE ${workspace.target} OWNER TO ${owner}`,
      );
      await workspace.configure(filePolicy(workspace.logins));
    });

    afterAll(async () => {
      await asSuperuser(
        `ALTER DATABASE ${workspace.target} OWNER TO ${server.user}; DROP ROLE ${owner}, ${weak}`,
      );
      await workspace[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });

    async function asSuperuser(sql: string): Promise<void> {
      await using admin = await adminOf(server);
      await admin.client.query(sql);
    }

    /** Each statement by itself: some settings would end the session that makes the next. */
    async function asOwner(change: string): Promise<void> {
      await asSuperuser(
        `SET ROLE ${owner}; ALTER DATABASE ${quoteIdentifier(workspace.target)} ${change}; RESET ROLE`,
      );
    }

    function rotate(...options: string[]) {
      return keyturn(['rotate', 'app', '--inline', '--yes', ...options], { cwd: workspace.folder });
    }

    test('who sets time limits, read-only transactions, libraries and more for it keeps no rotation from its end', async () => {
      for (const [setting, value] of settings) await asOwner(`SET ${setting} TO ${value}`);
      try {
        expect(await rotate()).toMatchObject({ code: 0 });
        expect(await rotate('--emergency')).toMatchObject({ code: 0 });
      } finally {
        await asOwner('RESET ALL');
      }
      await workspace.logIn();
    });

    test('who sets a role for it has nothing done as that role, and no GRANT to it printed', async () => {
      // The rotator is a superuser, so it may become any role.
      await asOwner(`SET role TO ${weak}`);
      try {
        const { code, stdout, stderr } = await keyturn(['doctor'], { cwd: workspace.folder });
        expect({ code, mentions: (stdout + stderr).includes(weak) }).toEqual({ code: 0, mentions: false });
        expect(await rotate()).toMatchObject({ code: 0 });
      } finally {
        await asOwner('RESET role');
      }
    });
  });
});

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type Session } from '../../src/postgres/connection/connect.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { rotatorFindings } from '../../src/rotation/findings/rotator-findings.ts';
import {
  haveOlderVersions,
  OLDER_VERSIONS,
  type PostgresServer,
  startPostgres,
} from '../support/postgres-server.ts';
import { openPatient, type Patient } from './patient.ts';
import { type Expected, expected, like, seen } from './seen.ts';

describe.skipIf(!haveOlderVersions)('On PostgreSQL', () => {
  test.each([OLDER_VERSIONS[0]])(
    '%i a policy in good health has no finding, also where pg_hba.conf can be read',
    async (version) => {
      await using server = await startPostgres({ version });
      await using patient = await openPatient(server);
      await patient.admin.query(
        `GRANT SELECT ON pg_hba_file_rules TO ${patient.rotator}; GRANT EXECUTE ON FUNCTION pg_hba_file_rules TO ${patient.rotator}`,
      );
      // It is the name of a user there, and no expression.
      const path = join(server.server.data, 'pg_hba.conf');
      await writeFile(path, `host all /^. 10.9.8.0/24 trust\n${await readFile(path, 'utf8')}`);
      expect((await patient.examine()).map(({ about, fact }) => `${about}: ${fact.code}`)).toEqual([
        'grace: grace-not-verifiable',
      ]);
    },
  );

  describe('15', () => {
    let server: PostgresServer;
    let patient: Patient;
    beforeAll(async () => {
      server = await startPostgres({ version: 15 });
      patient = await openPatient(server);
    });
    afterAll(async () => {
      await patient[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    });
    const fails = async () => (await patient.examine()).filter(({ level }) => level === 'fail');
    /** Expects one finding that stops a rotation, and that what it prints mends it. */
    async function expectMended(about: string, finding: Expected): Promise<void> {
      const [found, ...rest] = await fails();
      expect(found && seen(found)).toEqual(like(finding));
      expect(found?.about).toBe(about);
      expect(rest).toEqual([]);
      if (found) await patient.apply(found);
      expect(await fails()).toEqual([]);
    }

    test('a login that is no member of its owner is found, and what is printed mends', async () => {
      const { owner } = patient;
      const login = await patient.standby();
      await patient.admin.query(`REVOKE ${owner} FROM ${quoteIdentifier(login)}`);
      await expectMended('logins', expected('login-not-member-of-owner', { login, owner }));
    });

    test('a role with REPLICATION, which only a superuser may alter, is found, and what is printed mends', async () => {
      const connection = {
        ...{ name: 'db', ...server, user: patient.rotator, password: 'rotator' },
        database: patient.workspace.target,
        tls: { mode: 'disable' } as const,
      };
      const alter = async (change: string) => {
        await using session = await connect(connection);
        await session.client.query(`BEGIN; ALTER ROLE ${change}; ROLLBACK`);
      };
      const refusal = 'must be superuser to alter replication roles';

      const logins = patient.workspace.logins.map(quoteIdentifier);
      for (const login of logins) await patient.admin.query(`ALTER ROLE ${login} REPLICATION`);
      await expect(alter(`${logins[0]} LOGIN`)).rejects.toThrow(refusal);
      const missing = patient.workspace.logins.map(
        (login) => ({ right: 'alter-replication-login', login }) as const,
      );
      await expectMended(
        'privileges',
        expected('rotator-lacks-privileges', {
          rotator: patient.rotator,
          missing: expect.arrayContaining(missing),
        }),
      );
      await alter(`${logins[0]} LOGIN`);

      const own = `${patient.rotator} PASSWORD NULL`;
      const beside = (open: () => Promise<Session>) => open();
      await alter(own);
      expect(await rotatorFindings({ connection, beside, ledger: undefined })).toEqual([]);
      await patient.admin.query(`ALTER ROLE ${patient.rotator} REPLICATION`);
      await expect(alter(own)).rejects.toThrow(refusal);
      const [found] = await rotatorFindings({ connection, beside, ledger: undefined });
      expect(found).toMatchObject({
        level: 'fail',
        fact: { code: 'rotator-has-replication', params: { rotator: patient.rotator } },
      });
      if (found) await patient.apply(found);
      await alter(own);
    });
  });
});

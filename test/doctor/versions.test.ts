import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connect } from '../../src/postgres/connect.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { rotatorFindings } from '../../src/rotation/findings/rotator-findings.ts';
import { haveOlderVersions, OLDER_VERSIONS, startPostgres } from '../support/postgres-server.ts';
import { openPatient } from './patient.ts';

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
      expect((await patient.examine()).map(({ about, text }) => `${about}: ${text}`)).toEqual([
        expect.stringMatching(/^grace: /),
      ]);
    },
  );

  test('15 logins with REPLICATION, which only a superuser may alter, are found, and what is printed mends', async () => {
    await using server = await startPostgres({ version: 15 });
    await using patient = await openPatient(server);
    const logins = patient.workspace.logins.map(quoteIdentifier);
    for (const login of logins) await patient.admin.query(`ALTER ROLE ${login} REPLICATION`);
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
    await expect(alter(`${logins[0]} LOGIN`)).rejects.toThrow(refusal);
    const [found, ...rest] = (await patient.examine()).filter(({ level }) => level === 'fail');
    expect(rest).toEqual([]);
    expect(found).toMatchObject({
      about: 'privileges',
      text: expect.stringMatching(/whose REPLICATION takes/),
    });
    if (found) await patient.apply(found);
    await alter(`${logins[0]} LOGIN`);
    expect((await patient.examine()).filter(({ level }) => level === 'fail')).toEqual([]);

    const own = `${patient.rotator} PASSWORD NULL`;
    await alter(own);
    expect(await rotatorFindings({ connection })).toEqual([]);
    await patient.admin.query(`ALTER ROLE ${patient.rotator} REPLICATION`);
    await expect(alter(own)).rejects.toThrow(refusal);
    const [fixed] = await rotatorFindings({ connection });
    expect(fixed).toMatchObject({ level: 'fail', text: expect.stringContaining('has REPLICATION') });
    if (fixed) await patient.apply(fixed);
    await alter(own);
  });
});

import { describe, expect, test } from 'vitest';
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
      expect((await patient.examine()).map(({ about, text }) => `${about}: ${text}`)).toEqual([
        expect.stringMatching(/^grace: /),
      ]);
    },
  );
});

import { isDeepStrictEqual } from 'node:util';
import type { Ledger } from '../../ledger/ledger.ts';
import { connect, placeOf } from '../../postgres/connection/connect.ts';
import { readIdentity } from '../../postgres/connection/identity.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import type { RotationView } from '../context/rotation-context.ts';
import type { Finding } from './finding.ts';

/**
 * What would keep the rotator from proving a new password of its own, once it has set it, or keyturn from its ledger. Of that
 * nothing is told where it is undefined.
 */
export async function rotatorFindings({
  connection,
  beside,
  ledger,
}: Pick<RotationView, 'connection' | 'beside'> & { readonly ledger: Ledger | undefined }): Promise<
  Finding[]
> {
  await using session = await beside(() => connect(connection));
  const { rows } = await session.client.query(
    `SELECT pg_catalog.current_setting('server_version_num')::int < 160000
            AND me.rolreplication AND NOT me.rolsuper AS fixed
       FROM pg_catalog.pg_roles AS me WHERE me.rolname = current_user`,
  );
  const own = await readIdentity(session.client);
  const isLedgers = isDeepStrictEqual(await ledger?.identity(), own);
  return [
    ...(session.proven
      ? []
      : [
          {
            level: 'fail',
            about: 'rotator',
            text: `${placeOf(connection)}: the server let the rotator in without a SCRAM exchange, so a new password could not be proven`,
            remedy: `let pg_hba.conf demand scram-sha-256 from this address, and if its password is an MD5 one, set it once more with password_encryption = 'scram-sha-256'`,
          } as const,
        ]),
    ...(isLedgers
      ? [
          {
            level: 'fail',
            about: 'rotator',
            text: `${placeOf(connection)}: the rotator is the login of state.database too, where its old password would stay`,
            remedy: `have state.database log in as another: CREATE ROLE keyturn_state LOGIN PASSWORD '…' IN ROLE ${quoteIdentifier(own.login)}`,
          } as const,
        ]
      : []),
    // https://www.postgresql.org/docs/15/sql-alterrole.html: nor may it alter itself.
    ...(rows[0]?.fixed
      ? [
          {
            level: 'fail',
            about: 'rotator',
            text: `${connection.user} has REPLICATION, so up to PostgreSQL 15 only a superuser may give it another password`,
            sql: [`ALTER ROLE ${quoteIdentifier(connection.user)} NOREPLICATION`],
          } as const,
        ]
      : []),
  ];
}

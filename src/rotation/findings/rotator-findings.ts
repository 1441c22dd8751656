import { connect, placeOf } from '../../postgres/connect.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import type { RotationView } from '../rotation-context.ts';
import type { Finding } from './finding.ts';

/** What would keep the rotator from proving a new password of its own, once it has set it. */
export async function rotatorFindings({ connection }: Pick<RotationView, 'connection'>): Promise<Finding[]> {
  await using session = await connect(connection);
  const { rows } = await session.client.query('SELECT current_user AS name');
  const acting: string = rows[0]?.name;
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
    ...(acting === connection.user
      ? []
      : [
          {
            level: 'fail',
            about: 'rotator',
            text: `After logging in as ${connection.user} the current user is ${acting}, who may not alter it`,
            sql: [`ALTER ROLE ${quoteIdentifier(connection.user)} RESET role`],
          } as const,
        ]),
  ];
}

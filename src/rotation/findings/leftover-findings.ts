import { counted } from '../../counted.ts';
import { describePrepared } from '../../postgres/sessions/prepared-transaction.ts';
import { usesOf } from '../../postgres/sessions/sessions.ts';
import type { RotationView } from '../context/rotation-context.ts';
import { pooledClients } from '../pooled-clients.ts';
import type { Finding } from './finding.ts';

/** Who still holds on to the login that comes in, from its last turn. No password of any session is at stake. */
export async function leftoverFindings(view: RotationView, incoming: string): Promise<Finding[]> {
  const { clients } = await pooledClients(view, incoming);
  const prepared = (await usesOf(await view.rotator(), [incoming])).get(incoming)?.prepared ?? [];
  return [
    ...clients.map(
      (who): Finding => ({
        level: 'warn',
        about: 'pgbouncer',
        text: `${counted(who.clients, 'client')} of ${incoming} at PgBouncer ${who.pgbouncer} in its database ${who.database}: they logged in before ${incoming} was revoked; they would use its new password, or by trying the old one have PgBouncer refuse new clients for its server_login_retry`,
        remedy: 'end them (KILL_CLIENT, from PgBouncer 1.24 on)',
      }),
    ),
    ...(prepared.length === 0
      ? []
      : [
          {
            level: 'warn',
            about: 'sessions',
            text: `the incoming login ${incoming} has ${counted(prepared.length, 'prepared transaction')} that still holds locks: ${prepared.map(describePrepared).join(', ')}`,
          } as const,
        ]),
  ];
}

import { fact } from '../../facts/fact.ts';
import { usesOf } from '../../postgres/sessions/sessions.ts';
import type { RotationView } from '../context/rotation-context.ts';
import { pooledClients } from '../pooled-clients.ts';
import { type Finding, finding } from './finding.ts';

/** Who still holds on to the incoming login from its last turn, without a session of it. It stops no rotation. */
export async function leftoverFindings(view: RotationView, incoming: string): Promise<Finding[]> {
  const { clients } = await pooledClients(view, incoming);
  const prepared = (await usesOf(await view.rotator(), [incoming])).get(incoming)?.prepared ?? [];
  const transactions = prepared.map(({ gid, database, preparedAt }) => ({
    gid,
    database,
    preparedAt: preparedAt.toISOString(),
  }));
  return [
    ...clients.map((who) =>
      finding('warn', 'pgbouncer', fact('incoming-has-pooled-clients', { login: incoming, clients: who })),
    ),
    ...(transactions.length === 0
      ? []
      : [
          finding(
            'warn',
            'sessions',
            fact('incoming-has-prepared-transactions', { login: incoming, transactions }),
          ),
        ]),
  ];
}

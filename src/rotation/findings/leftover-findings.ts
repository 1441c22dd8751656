import { fact } from '../../facts/fact.ts';
import { preparedInfo } from '../../postgres/sessions/prepared-transaction.ts';
import type { PolicyView } from '../context/policy-view.ts';
import { pooledUse } from '../uses/pooled-use.ts';
import { type Finding, finding } from './finding.ts';

/**
 * Who still holds on to the incoming login from its last turn, without a session of it. It stops no
 * rotation.
 */
export async function leftoverFindings(view: PolicyView, incoming: string): Promise<Finding[]> {
  const { clients } = await pooledUse(view, incoming);
  const prepared = (await view.survey()).uses().get(incoming)?.prepared ?? [];
  const transactions = prepared.map(preparedInfo);
  return [
    ...clients.map((who) => finding('warn', 'pgbouncer', fact('incoming-has-pooled-clients', who))),
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

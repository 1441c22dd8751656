import { fact } from '../facts/fact.ts';
import { factOf } from '../facts/fault.ts';
import { command, sql } from '../facts/remedy.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';
import { faultFinding } from './fault-finding.ts';

/** What all policies share. */
export interface SharedState {
  ledger(): Promise<Ledger>;
  queue(): Promise<{ workers(): Promise<number> }>;
}

/** Looks at the state database, the queue and whether a worker is up. Never throws. */
export async function examineState({
  ledger,
  queue,
}: SharedState): Promise<{ readonly ledger: Ledger | undefined; readonly findings: readonly Finding[] }> {
  try {
    const opened = await ledger();
    if (await opened.isReadOnly()) {
      return {
        ledger: opened,
        findings: [
          finding('fail', 'state', fact('state-read-only', { server: null, detail: null })),
          finding('skip', 'queue', fact('queue-skipped', { because: 'state-read-only' })),
        ],
      };
    }
    return {
      ledger: opened,
      findings: [
        finding('ok', 'state', fact('state-database-ready', {})),
        ...(await accessFindings(opened)),
        ...(await examineQueue(queue)),
      ],
    };
  } catch (error) {
    const cause = factOf(error);
    const { remedies = [] } = cause;
    return {
      ledger: undefined,
      findings: [
        finding('fail', 'state', fact('state-database-fails', { cause }, ...remedies)),
        finding('skip', 'queue', fact('queue-skipped', { because: 'state-down' })),
      ],
    };
  }
}

/** Whoever may connect to a database may hold locks in it, and use up its connections. */
async function accessFindings(ledger: Ledger): Promise<Finding[]> {
  const database = await ledger.openToPublic();
  if (database === undefined) return [];
  const revoke = sql(`REVOKE CONNECT ON DATABASE ${quoteIdentifier(database)} FROM PUBLIC`);
  return [finding('warn', 'state', fact('state-database-open-to-public', { database }, revoke))];
}

async function examineQueue(queue: SharedState['queue']): Promise<Finding[]> {
  try {
    const workers = await (await queue()).workers();
    return [
      workers > 0
        ? finding('ok', 'queue', fact('workers-running', { workers }))
        : finding('warn', 'queue', fact('nothing-rotates-by-itself', {}, command('start'))),
    ];
  } catch (error) {
    return [faultFinding('queue', error)];
  }
}

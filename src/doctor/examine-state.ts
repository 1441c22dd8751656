import type { Ledger } from '../ledger/ledger.ts';
import { READ_ONLY_REMEDY } from '../ledger/state-error.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';
import type { Finding } from '../rotation/findings/finding.ts';
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
      const text = 'the state database is read-only, so nothing rotates';
      return {
        ledger: opened,
        findings: [
          { level: 'fail', about: 'state', text, remedy: READ_ONLY_REMEDY },
          {
            level: 'skip',
            about: 'queue',
            text: 'the queue is not looked at without a state database to write to',
          },
        ],
      };
    }
    return {
      ledger: opened,
      findings: [
        { level: 'ok', about: 'state', text: 'the state database has the ledger' },
        ...(await accessFindings(opened)),
        ...(await examineQueue(queue)),
      ],
    };
  } catch (error) {
    const told = faultFinding('state', error);
    return {
      ledger: undefined,
      findings: [
        {
          ...told,
          text: `the state database: ${told.text}`,
          remedy: told.remedy ?? 'check state.database, and that its server is up',
        },
        { level: 'skip', about: 'queue', text: 'the queue is not looked at without the state database' },
      ],
    };
  }
}

/** Whoever may connect to a database may hold locks in it, and use up its connections. */
async function accessFindings(ledger: Ledger): Promise<Finding[]> {
  const database = await ledger.openToPublic();
  if (database === undefined) return [];
  return [
    {
      level: 'warn',
      about: 'state',
      text: `every login of the server may connect to the state database ${database}, which is PostgreSQL's default`,
      sql: [`REVOKE CONNECT ON DATABASE ${quoteIdentifier(database)} FROM PUBLIC`],
    },
  ];
}

async function examineQueue(queue: SharedState['queue']): Promise<Finding[]> {
  try {
    const workers = await (await queue()).workers();
    if (workers > 0) return [{ level: 'ok', about: 'queue', text: `workers that are up: ${workers}` }];
    return [
      {
        level: 'warn',
        about: 'queue',
        text: 'no worker is running, so nothing rotates by itself',
        remedy: 'start one: keyturn start',
      },
    ];
  } catch (error) {
    return [faultFinding('queue', error)];
  }
}

import { DatabaseError, databaseError } from '../postgres/connection/database-error.ts';
import type { Ledger } from './ledger.ts';

// read_only_sql_transaction: https://www.postgresql.org/docs/current/errcodes-appendix.html
const READ_ONLY = '25006';

/** Faults of pg and of Node.js. All others say already what they are. */
const UNNAMED = ['Error', 'error', 'AggregateError'];

/** What mends a state database that only reads. */
export const READ_ONLY_REMEDY =
  'it is a standby server, or default_transaction_read_only is on there; point state.database at the primary';

/** A fault of the state database with the server's name and what mends it; any other as it is. */
export function stateError(error: unknown, place: string): unknown {
  const { name, message, code } = error as { name?: string; message?: string; code?: unknown };
  if (!UNNAMED.includes(name ?? '')) return error;
  if (code === READ_ONLY) {
    return new DatabaseError('read-only', `${place} is read-only: ${message}; ${READ_ONLY_REMEDY}`, {
      cause: error,
    });
  }
  const told = databaseError(error, place);
  return told.kind === 'unreachable' ? told : error;
}

/** A ledger whose faults name the server. */
export function namingFaults(ledger: Ledger, place: string): Ledger {
  const named = Object.entries(ledger).map(([verb, act]) => [
    verb,
    typeof act === 'function'
      ? (...args: readonly unknown[]) =>
          act(...args).catch((error: unknown) => {
            throw stateError(error, place);
          })
      : act,
  ]);
  // Each verb keeps its own parameters and result.
  return Object.fromEntries(named) as Ledger;
}

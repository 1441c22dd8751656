import pg from 'pg';
import type { Fact } from '../facts/fact.ts';
import { Fault, fault } from '../facts/fault.ts';
import { databaseError, isServerAway } from '../postgres/connection/database-error.ts';
import { strangersMessage } from '../visible.ts';
import type { Ledger } from './ledger.ts';

// read_only_sql_transaction: https://www.postgresql.org/docs/current/errcodes-appendix.html
const READ_ONLY = '25006';

/** A fault of the state database that names the server; any other as it is. */
export function stateError(error: unknown, server: string): unknown {
  if (error instanceof Fault && 'place' in error.fact.params) return asOfState(error);
  if (!isForeign(error)) return error;
  if ((error as { readonly code?: unknown }).code === READ_ONLY) {
    const detail = strangersMessage(error.message);
    return fault('state-read-only', { server, detail }, { cause: error });
  }
  const told = databaseError(error, server);
  return isServerAway(told) ? asOfState(told) : error;
}

/** The same fault, which says that the server is that of the state database. */
function asOfState(told: Fault): Fault {
  const { code, params, remedies } = told.fact;
  const fact = { code, params: { ...params, isState: true }, ...(remedies && { remedies }) };
  // The parameters of a fact about a server have this one, too.
  return new Fault(fact as Fact, { cause: told.cause });
}

/** Whether an error is one of pg or of Node.js. All others say already what they are. */
function isForeign(error: unknown): error is Error {
  if (error instanceof pg.DatabaseError) return true;
  return error instanceof Error && (error.constructor === Error || error.constructor === AggregateError);
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

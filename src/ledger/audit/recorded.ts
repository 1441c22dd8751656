import type { Fact } from '../../facts/fact.ts';
import { Fault, factOf } from '../../facts/fault.ts';
import { databaseError, isServerAway } from '../../postgres/connection/database-error.ts';
import type { Ledger } from '../ledger.ts';
import type { BegunAction } from './actions.ts';

/** What an action is given: it calls `begin` before it changes anything. */
type Act<Result> = (begin: () => Promise<void>) => Promise<Result>;

/**
 * Runs what changes more than the ledger, and keeps it there: a line before the first change, and
 * its outcome after the last. So no change goes unrecorded, and one that nobody saw the end of is
 * not called done (G6). If nothing is begun, nothing is written.
 */
export async function recorded<Result>(
  { ledger, action, told }: Recording<Result>,
  act: Act<Result>,
): Promise<Result> {
  let id: string | undefined;
  const begin = async () => {
    id ??= await ledger.actions.begin(action);
  };
  let result: Result;
  try {
    result = await act(begin);
  } catch (error) {
    // A connection that was lost may have been lost after the commit.
    const told = error instanceof Fault ? error : databaseError(error, action.policy);
    const status = isServerAway(told) ? 'open' : 'failed';
    // The fault that stopped the action is the one to tell.
    if (id !== undefined) await ledger.actions.end(id, { status, fact: factOf(error) }).catch(() => {});
    throw error;
  }
  if (id !== undefined) await ledger.actions.end(id, { status: 'done', fact: told(result) });
  return result;
}

interface Recording<Result> {
  readonly ledger: Pick<Ledger, 'actions'>;
  readonly action: BegunAction;
  /** What was done. */
  readonly told: (result: Result) => Fact;
}

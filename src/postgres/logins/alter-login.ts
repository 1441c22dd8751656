import type pg from 'pg';
import { type Fault, fault } from '../../facts/fault.ts';
import { quoteLiteral } from '../identifier.ts';
import { isConcurrentUpdate, isLockRefused } from '../locks/lock-fault.ts';
import {
  endHolders,
  endingThem,
  FRESH,
  holderInfo,
  type LockHolder,
  roleAlterers,
} from '../locks/lock-holders.ts';

export interface AlterOptions {
  /**
   * Called before sessions of the login that are in the way are ended, to record them. If one comes
   * back, all sessions of the login are ended. Left out: none may be ended, and they are only
   * named.
   */
  readonly onEnd?: (holders: readonly LockHolder[]) => Promise<void>;
}

/** How often sessions in the way are ended, and a change that lost to another one is retried. */
const ROUNDS = 10;
/** After this round all sessions of the login are ended, not only those that hold its row. */
const ALL_SESSIONS = 3;

/**
 * Runs a statement that alters a login. A login may alter itself in a transaction that it leaves
 * open, and every other `ALTER ROLE` then waits for that. Throws `login-row-locked`, which names
 * who is in the way, with the statements that end it. Needs a transaction that holds the policy's
 * lock.
 *
 * A session that comes back at once does not win. PostgreSQL serves those who wait for the row in
 * turn, and this waits for it as soon as the sessions before it are told to end.
 */
export async function alterLogin(
  client: pg.ClientBase,
  login: string,
  statement: string,
  { onEnd }: AlterOptions = {},
): Promise<void> {
  for (let round = 1; ; round++) {
    const isLast = onEnd !== undefined && round > ALL_SESSIONS;
    // In one message: else a session that comes back at once could be quicker.
    const fault = await attempt(client, isLast ? `${endAll(login)}; ${statement}` : statement);
    if (fault === undefined) return;
    const holders = await roleAlterers(client);
    const own = holders.filter((holder) => holder.login === login && holder.pid !== null);
    const mayGoOn = isConcurrentUpdate(fault) || (onEnd !== undefined && own.length > 0);
    if (round === ROUNDS || !mayGoOn) throw inTheWay(login, holders, fault);
    if (onEnd === undefined || own.length === 0 || isLast) continue;
    await onEnd(own);
    await endHolders(client, own);
  }
}

/**
 * Undefined when it is done; else what kept the statement from the row. Throws every other fault.
 */
async function attempt(client: pg.ClientBase, statement: string): Promise<unknown> {
  try {
    await client.query(`SAVEPOINT keyturn_alter; ${statement}; RELEASE SAVEPOINT keyturn_alter`);
    return undefined;
  } catch (fault) {
    await client.query('ROLLBACK TO SAVEPOINT keyturn_alter').catch(() => {
      throw fault;
    });
    if (!isLockRefused(fault) && !isConcurrentUpdate(fault)) throw fault;
    return fault;
  }
}

function endAll(login: string): string {
  return `${FRESH};
          SELECT pg_catalog.pg_terminate_backend(activity.pid)
            FROM pg_catalog.pg_stat_activity AS activity
            JOIN pg_catalog.pg_roles AS role ON role.oid = activity.usesysid
           WHERE role.rolname = ${quoteLiteral(login)}::pg_catalog.name
             AND activity.pid <> pg_catalog.pg_backend_pid()`;
}

function inTheWay(login: string, holders: readonly LockHolder[], cause: unknown): Fault {
  const own = holders.filter((holder) => holder.login === login);
  const likely = own.length > 0 ? own : holders;
  return fault(
    'login-row-locked',
    { login, holders: likely.map(holderInfo) },
    { cause, remedies: endingThem(likely) },
  );
}

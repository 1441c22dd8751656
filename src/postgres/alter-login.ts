import type pg from 'pg';
import { DatabaseError } from './database-error.ts';
import { COMMIT_DURABLY } from './durable-commit.ts';
import { quoteLiteral } from './identifier.ts';
import { isConcurrentUpdate, isLockTimeout } from './lock-fault.ts';
import { describeHolder, endHolders, howToEnd, type LockHolder, roleAlterers } from './lock-holders.ts';
import { LOCK_WAIT_MS, limitLockWaits } from './lock-waits.ts';
import { unlessForbidden } from './unless-forbidden.ts';

export interface AlterOptions {
  /**
   * Given where sessions of the login that are in the way may be ended: called before they are, so that somebody can write
   * down whom keyturn ended. Left out: they are only named.
   */
  readonly onEnd?: (holders: readonly LockHolder[]) => Promise<void>;
}

/** How often sessions that are in the way are ended, or a change that another one overtook is tried. */
const ROUNDS = 20;
/** From this round on all sessions of the login are ended, not only those that hold its row. */
const ALL_SESSIONS = 3;
/** Sessions that were told to end are gone in milliseconds. */
const ROUND_WAIT_MS = 500;

/**
 * Runs a statement that alters a login, durably and within bounded time. A login may alter itself in a transaction that it leaves open,
 * and every other `ALTER ROLE` then waits for that. Throws a DatabaseError of kind `locked` that names who is in the way, and
 * what ends it. Needs a transaction that holds the policy's lock.
 *
 * A session that comes back at once does not win: whoever waits for the row is served in turn, and this waits for it as soon
 * as the sessions before it are told to end.
 */
export async function alterLogin(
  client: pg.ClientBase,
  login: string,
  statement: string,
  { onEnd }: AlterOptions = {},
): Promise<void> {
  for (let round = 1; ; round++) {
    const fault = await attempt(client, statement, round === 1 ? LOCK_WAIT_MS : ROUND_WAIT_MS);
    if (fault === undefined) return;
    const holders = await roleAlterers(client);
    const own = holders.filter((holder) => holder.login === login && holder.pid !== null);
    const isOvertaken = isConcurrentUpdate(fault);
    const mayGoOn = isOvertaken || (onEnd !== undefined && own.length > 0);
    if (round === ROUNDS || !mayGoOn) throw inTheWay(login, holders, fault);
    if (onEnd === undefined) continue;
    if (own.length > 0 && round <= ALL_SESSIONS) await onEnd(own);
    if (round < ALL_SESSIONS) await endHolders(client, own);
    else await endAll(client, login);
  }
}

/** Returns what kept the statement from its row; undefined where it is done. Throws every other fault. */
async function attempt(client: pg.ClientBase, statement: string, wait: number): Promise<unknown> {
  await client.query(`${COMMIT_DURABLY}; SAVEPOINT keyturn_alter`);
  try {
    await client.query(`SET LOCAL lock_timeout = ${wait}`);
    await client.query(statement);
    await client.query(`RELEASE SAVEPOINT keyturn_alter; ${limitLockWaits()}`);
    return undefined;
  } catch (fault) {
    await client.query('ROLLBACK TO SAVEPOINT keyturn_alter');
    if (!isLockTimeout(fault) && !isConcurrentUpdate(fault)) throw fault;
    return fault;
  }
}

async function endAll(client: pg.ClientBase, login: string): Promise<void> {
  await unlessForbidden(client, () =>
    client.query(
      `SELECT pg_catalog.pg_terminate_backend(activity.pid)
         FROM pg_catalog.pg_stat_activity AS activity
         JOIN pg_catalog.pg_roles AS role ON role.oid = activity.usesysid
        WHERE role.rolname = $1::pg_catalog.name AND activity.pid <> pg_catalog.pg_backend_pid()`,
      [login],
    ),
  );
}

function inTheWay(login: string, holders: readonly LockHolder[], cause: unknown): DatabaseError {
  const own = holders.filter((holder) => holder.login === login);
  const likely = own.length > 0 ? own : holders;
  const who = likely.map(describeHolder).join('; ');
  const prepared = likely.flatMap((holder) => holder.prepared ?? []);
  const remedies = prepared.map(({ gid, database }) => {
    const name = quoteLiteral(gid);
    return `a superuser has to end it, connected to database ${database}: ROLLBACK PREPARED ${name}`;
  });
  return new DatabaseError(
    'locked',
    `${login} cannot be altered, because its row in pg_authid is locked; it is tried again${who && `. It is altered in a transaction that is open: ${who}`}${remedies.map((remedy) => `; ${remedy}`).join('')}${howToEnd(likely)}`,
    { cause },
  );
}

import type pg from 'pg';
import { type Fault, fault } from '../../facts/fault.ts';
import { committing, inTransaction } from '../connection/in-transaction.ts';
import { isIdle } from '../connection/pg-internals.ts';
import { isLockRefused, LOCK_WAIT_MS } from './lock-fault.ts';
import {
  advisoryLockHolders,
  endHolders,
  endingThem,
  holderInfo,
  type LockHolder,
  lockKey,
  roleLockHolders,
} from './lock-holders.ts';
import { CommentRace, LASTING, type LockedRole, readRoles, takeRoleLock } from './take-role-lock.ts';

/** The lock, while it is held. */
export interface PolicyLock {
  /**
   * Throws `lock-lost` if the session that holds the lock is gone, or if the server does not answer
   * in time to say so. Ask before a change outside of PostgreSQL.
   */
  confirm(): Promise<void>;
}

export interface PolicyLockTarget {
  readonly logins: readonly string[];
  /**
   * For an emergency: ends those who have the lock and do nothing with it, which are a stopped
   * worker of the same rotator, or sessions of the logins. A session that was ended can alter
   * nothing any more.
   */
  readonly fence?: boolean;
  /** Where the roles were locked before: what they were like then. Left out: it is asked. */
  readonly memory?: RoleMemory;
}

/** What is remembered of a pair of logins between two locks on them. */
export interface RoleMemory {
  roles?: readonly LockedRole[] | undefined;
}

/**
 * A process is not silent for longer while its event loop runs, even if a store takes long. What
 * blocks the loop silences it: a stopped process, or a file store on a mount that hangs. PostgreSQL
 * ends a session that is silent for `idle_in_transaction_session_timeout`.
 */
const SIGN_OF_LIFE_MS = 2_000;
/** In an emergency a process that has been silent for so long counts as stopped. */
const STOPPED_MS = 10_000;
/** A confirmation counts only if this process has read it by then, and acts before `STOPPED_MS`. */
const FRESH_MS = 5_000;
const CONFIRMATIONS = 3;
/** Each attempt waits for `LOCK_WAIT_MS` at most. */
const ATTEMPTS = 3;
const EMERGENCY_ATTEMPTS = 8;

/**
 * Runs `body` in a transaction that holds the lock of a policy's logins, then commits. The session
 * that alters the roles holds the lock, so a worker that lost its job cannot alter anything once
 * another took over. It is a lock on the roles themselves, which only those get who may alter them:
 * see take-role-lock.ts. Throws `lock-held`, which names the holder, if it cannot be taken in time.
 */
export async function withPolicyLock<Result>(
  client: pg.ClientBase,
  target: readonly string[] | PolicyLockTarget,
  body: (lock: PolicyLock) => Promise<Result>,
): Promise<Result> {
  const { logins, fence = false, memory = {} } = 'logins' in target ? target : { logins: target };
  // The logins decide, not the policy's name: two policies may name the same logins.
  const kind = (await isOwnRole(client, logins)) ? ownLock(logins) : loginsLock(logins, memory);
  const attempts = fence ? EMERGENCY_ATTEMPTS : ATTEMPTS;
  for (let attempt = 1; ; attempt++) {
    try {
      return await committing(client, async () => {
        await take(client, kind);
        return await whileAlive(client, body);
      });
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error;
      // Whoever changes a comment is done with it at once.
      if (error.cause instanceof CommentRace && attempt < attempts) continue;
      const holders = await kind.holders(client);
      const intruders = holders.filter(kind.isIntruder(fence));
      const ended = await inTransaction(client, () => endHolders(client, intruders));
      if (attempt < attempts && (fence || ended > 0)) continue;
      throw held(
        logins,
        holders.filter(({ isWaiting }) => !isWaiting),
        error,
      );
    }
  }
}

/** How to take a lock, who holds it, and from whom it may be taken. */
interface LockKind {
  /** Begins a transaction that has the lock. */
  take(client: pg.ClientBase): Promise<void>;
  holders(client: pg.ClientBase): Promise<LockHolder[]>;
  isIntruder(fence: boolean): (holder: LockHolder) => boolean;
}

/** Thrown before `body` begins. */
class NotTaken extends Error {}

function loginsLock(logins: readonly string[], memory: RoleMemory): LockKind {
  return {
    // A role that does not exist cannot be altered, and needs no lock.
    take: (client) => takeKnown(client, logins, memory),
    holders: (client) => roleLockHolders(client, logins),
    isIntruder: (fence) => (holder) => fence && (isStopped(holder) || logins.includes(holder.login ?? '')),
  };
}

/** What was remembered may be wrong by now. Then it is forgotten, and asked at the next attempt. */
async function takeKnown(
  client: pg.ClientBase,
  logins: readonly string[],
  memory: RoleMemory,
): Promise<void> {
  const { roles: known } = memory;
  memory.roles = undefined;
  const roles = known ?? (await readRoles(client, logins));
  try {
    await takeRoleLock(client, roles);
  } catch (error) {
    if (known === undefined || isLockRefused(error)) throw error;
    throw new CommentRace('The roles have changed', { cause: error });
  }
  if (roles.length === logins.length) memory.roles = roles;
}

/**
 * From PostgreSQL 16 on a role may not comment on itself, so for its own password it takes an
 * advisory lock. All who can connect to the database can take that too, so a session of another
 * login that holds it is ended.
 */
function ownLock(logins: readonly string[]): LockKind {
  const key = lockKey(['keyturn', ...logins.toSorted()]);
  return {
    take: async (client) => {
      await client.query(
        `BEGIN; SELECT pg_catalog.pg_advisory_xact_lock(${key}::pg_catalog.int8), ${LASTING}`,
      );
    },
    holders: (client) => advisoryLockHolders(client, key, { orWaits: true }),
    isIntruder: (fence) => (holder) => !holder.isOwn || (fence && isStopped(holder)),
  };
}

function isStopped({ isOwn, idle }: LockHolder): boolean {
  return isOwn && idle !== null && idle >= STOPPED_MS;
}

async function isOwnRole(client: pg.ClientBase, logins: readonly string[]): Promise<boolean> {
  const [first, ...others] = logins;
  if (others.length > 0) return false;
  const { rows } = await client.query<{ own: boolean }>(
    'SELECT $1::pg_catalog.text = (CURRENT_USER)::pg_catalog.text AS own',
    [first],
  );
  return rows[0]?.own === true;
}

async function take(client: pg.ClientBase, kind: LockKind): Promise<void> {
  try {
    await kind.take(client);
  } catch (cause) {
    if (!isLockRefused(cause) && !(cause instanceof CommentRace)) throw cause;
    throw new NotTaken('not taken', { cause });
  }
}

/** Runs `body`, and sends a sign of life while it leaves the session idle. */
async function whileAlive<Result>(
  client: pg.ClientBase,
  body: (lock: PolicyLock) => Promise<Result>,
): Promise<Result> {
  const sign = setInterval(() => {
    // PostgreSQL ends only idle sessions.
    if (isIdle(client)) client.query('SELECT 1').catch(() => {});
  }, SIGN_OF_LIFE_MS);
  try {
    return await body({ confirm: () => confirm(client) });
  } finally {
    clearInterval(sign);
  }
}

async function confirm(client: pg.ClientBase): Promise<void> {
  for (let attempt = 1; attempt <= CONFIRMATIONS; attempt++) {
    const asked = performance.now();
    try {
      await client.query('SELECT 1');
    } catch (cause) {
      throw fault('lock-lost', {}, { cause });
    }
    // If this process stood still meanwhile, the session may have ended after the answer.
    if (performance.now() - asked < FRESH_MS) return;
  }
  throw fault('lock-lost', {});
}

function held(logins: readonly string[], holders: readonly LockHolder[], cause: unknown): Fault {
  return fault(
    'lock-held',
    { logins, seconds: LOCK_WAIT_MS / 1000, holders: holders.map(holderInfo) },
    { cause, remedies: endingThem(holders) },
  );
}

import type pg from 'pg';
import { fault } from '../../facts/fault.ts';
import { inTransaction } from '../connection/in-transaction.ts';
import { isLockRefused } from '../locks/lock-fault.ts';
import { advisoryLockHolders, endHolders, holderInfo, type LockHolder } from '../locks/lock-holders.ts';

/** How long one attempt waits, in milliseconds. */
const TRY_MS = 1_000;

/**
 * Takes an advisory lock for a session of the embedded server's superuser. Every login of that
 * server can take the lock too, but none should: a session of another login that holds it is ended.
 * Throws `embedded-lock-held` if another process of keyturn keeps it for longer than `patience`
 * milliseconds.
 */
export async function takeSuperuserLock(
  client: pg.ClientBase,
  key: string,
  { shared = false, patience }: { readonly shared?: boolean; readonly patience: number },
): Promise<void> {
  const take = shared ? 'pg_advisory_lock_shared' : 'pg_advisory_lock';
  const deadline = Date.now() + patience;
  await client.query(`SET lock_timeout = ${TRY_MS}`);
  for (;;) {
    try {
      await client.query(`SELECT pg_catalog.${take}($1::pg_catalog.int8)`, [key]);
      await client.query('RESET lock_timeout');
      return;
    } catch (error) {
      if (!isLockRefused(error)) throw error;
      const holders = await endStrangers(client, key);
      if (Date.now() < deadline) continue;
      throw fault('embedded-lock-held', { holders: holders.map(holderInfo) }, { cause: error });
    }
  }
}

/** Ends sessions of other logins that hold the lock or wait for it. Returns keyturn's own. */
export async function endStrangers(client: pg.ClientBase, key: string): Promise<LockHolder[]> {
  const holders = await advisoryLockHolders(client, key, { orWaits: true });
  const strangers = holders.filter(({ isOwn }) => !isOwn);
  if (strangers.length > 0) await inTransaction(client, () => endHolders(client, strangers));
  return holders.filter(({ isOwn }) => isOwn);
}

import type pg from 'pg';
import { LEDGER_VERSION } from './migrations.ts';

/**
 * Whether the ledger's tables are those of this release. Only reads, so it also answers on a standby server. Where it
 * may not look they count as missing, and `migrateLedger` says what is wrong.
 */
export async function isMigrated(pool: pg.Pool): Promise<boolean> {
  try {
    const { rows } = await pool.query('SELECT pg_catalog.max(version) AS version FROM keyturn.migration');
    return rows[0].version === LEDGER_VERSION;
  } catch (error) {
    // Any code but those of a lost connection comes from a server that answers.
    if (/^(42|3F)/.test(String((error as { code?: unknown }).code))) return false;
    throw error;
  }
}

/** Whether the state database takes no changes: a standby server, or one that was told so. */
export async function isReadOnly(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query(
    `SELECT pg_catalog.current_setting('transaction_read_only'::pg_catalog.text) AS "readOnly"`,
  );
  return rows[0].readOnly === 'on';
}

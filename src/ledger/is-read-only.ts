import type pg from 'pg';

/** Whether the state database takes no changes: a standby server, or one that was told so. */
export async function isReadOnly(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query(
    `SELECT pg_catalog.current_setting('transaction_read_only'::pg_catalog.text) AS "readOnly"`,
  );
  return rows[0].readOnly === 'on';
}

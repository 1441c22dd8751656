import type pg from 'pg';

/** The process ids of sessions whose role was dropped. PostgreSQL lets such sessions go on. */
export async function sessionsOfNobody(client: pg.ClientBase): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(
    `SELECT activity.pid FROM pg_catalog.pg_stat_activity AS activity
      WHERE activity.usesysid <> 0::pg_catalog.oid
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS role WHERE role.oid = activity.usesysid)
      ORDER BY activity.pid`,
  );
  return rows.map(({ pid }) => pid);
}

/**
 * How long after NOLOGIN is committed to look again, in milliseconds. A backend that was let in
 * before is in pg_stat_activity by then.
 */
export const LAST_LOOK_MS = 250;

/** Milliseconds after NOLOGIN was committed; a backend that was let in before has shown itself in pg_stat_activity by then. */
export const LAST_LOOK_MS = 250;

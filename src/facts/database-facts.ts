/** About a PostgreSQL server and the way to it: connections, TLS, logins, locks, sessions, replicas, PgBouncer. */
export type DatabaseFacts = {};

import type { LockFacts } from './database/lock-facts.ts';
import type { ServerFacts } from './database/server-facts.ts';
import type { TlsFacts } from './database/tls-facts.ts';

/**
 * About a PostgreSQL server and the way to it: connections, TLS, logins, locks, sessions, replicas,
 * PgBouncer.
 */
export interface DatabaseFacts extends LockFacts, ServerFacts, TlsFacts {}

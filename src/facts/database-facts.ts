import type { LockFacts } from './lock-facts.ts';
import type { ServerFacts } from './server-facts.ts';
import type { TlsFacts } from './tls-facts.ts';

/**
 * About a PostgreSQL server and the way to it: connections, TLS, logins, locks, sessions, replicas,
 * PgBouncer.
 */
export interface DatabaseFacts extends LockFacts, ServerFacts, TlsFacts {}

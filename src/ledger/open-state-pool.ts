import pg from 'pg';
import type { Database } from '../config/config.ts';
import { type Fact, fact } from '../facts/fact.ts';
import { clientOptions } from '../postgres/connection/client-options.ts';
import { connect } from '../postgres/connection/connect.ts';
import { pinned } from '../postgres/connection/pinned.ts';
import { remembering } from '../postgres/connection/session-pin.ts';
import { strangersMessage } from '../visible.ts';

/**
 * Sessions of the state database. Throws where it cannot be reached. `onFault` is called when a
 * session is lost that nobody uses. End it after use.
 */
export async function openStatePool(target: Database, onFault: (fact: Fact) => void): Promise<pg.Pool> {
  const database = remembering(target);
  // A pool would not report why it cannot connect, nor close what a TLS alert left open.
  await using _reachable = await connect(database, { statementTimeout: 0, kind: 'state' });
  const pool = new pg.Pool({
    ...clientOptions(database),
    ...pinned(database, 'state'),
    max: 5,
    application_name: 'keyturn ledger',
    // Else a server that does not answer would be waited for until TCP gives up.
    connectionTimeoutMillis: 30_000,
    query_timeout: 30_000,
  });
  // A session that is lost between two queries: the next query reports it.
  pool.on('connect', (client) => client.on('error', () => {}));
  pool.on('error', (error) => onFault(fact('state-fault', { detail: strangersMessage(error.message) })));
  return pool;
}

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { clientOptions } from '../../../postgres/connection/client-options.ts';
import type { PublishedLogin } from './published-login.ts';
import { countFault, type Tally } from './tally.ts';

export interface ClientOptions {
  readonly server: { readonly host: string; readonly port: number; readonly database: string };
  readonly read: () => Promise<PublishedLogin | undefined>;
  readonly tally: Tally;
  readonly signal: AbortSignal;
}

const PAUSE_MS = 40;
const RECONNECT_EVERY = 10;

/**
 * A typical application: it has a pool and reads the published login before each transaction. When
 * the login has changed, it opens a new pool and lets the old one finish. It knows nothing of
 * rotations, and hides no fault by a retry.
 */
export async function runClient({ server, read, tally, signal }: ClientOptions): Promise<void> {
  let login = await firstLogin(read, signal);
  if (!login) return;
  let pool = openPool(server, login, tally);
  const retired: Promise<void>[] = [];
  for (let round = 1; !signal.aborted; round += 1) {
    const latest = await read();
    if (latest && latest.version !== login.version) {
      retired.push(pool.end());
      login = latest;
      pool = openPool(server, login, tally);
    }
    try {
      await order(pool, tally);
      if (round % RECONNECT_EVERY === 0) await reconnect(server, login, tally);
    } catch (error) {
      countFault(tally, error);
    }
    await sleep(PAUSE_MS * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
  }
  await Promise.all([...retired, pool.end()]);
}

async function firstLogin(
  read: ClientOptions['read'],
  signal: AbortSignal,
): Promise<PublishedLogin | undefined> {
  while (!signal.aborted) {
    const login = await read();
    if (login) return login;
    await sleep(100, undefined, { signal }).catch(() => {});
  }
  return undefined;
}

function openPool(server: ClientOptions['server'], login: PublishedLogin, tally: Tally): pg.Pool {
  const pool = new pg.Pool({ ...account(server, login), max: 2, application_name: 'demo shop' });
  // If an idle session is cut, that is a fault too: a drain that has time left must not cut any.
  pool.on('error', (error) => countFault(tally, error));
  return pool;
}

async function order(pool: pg.Pool, tally: Tally): Promise<void> {
  const client = await pool.connect();
  try {
    for (const statement of [
      'BEGIN',
      "INSERT INTO orders (item) VALUES ('key')",
      'SELECT count(*) FROM orders',
      'COMMIT',
    ]) {
      await client.query(statement);
      tally.queries += 1;
    }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  } finally {
    client.release();
  }
}

async function reconnect(
  server: ClientOptions['server'],
  login: PublishedLogin,
  tally: Tally,
): Promise<void> {
  const client = new pg.Client({ ...account(server, login), application_name: 'demo report' });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('SELECT max(id) FROM orders');
    tally.queries += 1;
  } finally {
    await client.end();
  }
}

/** A careful consumer allows only SCRAM. */
function account(server: ClientOptions['server'], { username, password }: PublishedLogin): pg.ClientConfig {
  return clientOptions({ ...server, user: username, password, tls: { mode: 'disable' } });
}

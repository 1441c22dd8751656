import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { type Credentials, openCredentials } from '../../src/consumer/credentials.ts';
import { createRotatingPool } from '../../src/consumer/rotating-pool.ts';
import { type Library, openLibrary } from '../consumer/libraries.ts';
import { countSessions, draining } from '../support/draining.ts';
import type { Scenario } from '../support/scenario.ts';
import { type RotatedOften, rotateOften } from './rotate-often.ts';

export interface LibrarySoaked {
  readonly library: Library;
  readonly rotations: number;
  readonly seconds: number;
  readonly answered: number;
  readonly notifications: { readonly sent: number; readonly missed: number };
  readonly failures: readonly string[];
  /** What the rotations warned of. A drain that ran into its deadline is among them. */
  readonly warnings: readonly string[];
  /** Milliseconds from publish until no session of the old login was left, the longest of all. */
  readonly longestUse: number;
  /** Sessions of both logins after everything was closed. */
  readonly leaked: number;
}

export const IDLE_TIMEOUT_MS = 10_000;
const REFRESH_MS = 250;
const POOL_SIZE = 4;
const PAUSE_MS = 20;
const CHANNEL = 'soak';

interface Load {
  readonly signal: AbortSignal;
  readonly failures: string[];
  answered: number;
}

/** Rotates a policy whose consumers use the library `keyturn/consumer`, under load. */
export async function soakLibrary(
  scenario: Scenario,
  library: Library,
  { rotations, pools }: { readonly rotations: number; readonly pools: number },
): Promise<LibrarySoaked> {
  const rotated = draining(scenario, { grace: 2 * REFRESH_MS, timeout: 60_000 });
  const secrets = { username: 'app/username', password: 'app/password' };
  const credentials = openCredentials(
    { type: 'file', path: scenario.folder, secrets },
    { refreshEvery: REFRESH_MS },
  );
  const ended = new AbortController();
  const load: Load = { signal: ended.signal, failures: [], answered: 0 };
  const listener = listen(scenario, credentials, load);
  const working = Array.from({ length: pools }, () => work(scenario, credentials, library, load));
  const began = performance.now();
  let rotating: RotatedOften;
  try {
    // A drain is done, or revoke sees no session, only when the old login has none left.
    rotating = await rotateOften(rotated, rotations);
  } finally {
    ended.abort();
    await Promise.all([listener, ...working]);
    await credentials.close();
  }
  return {
    library,
    rotations,
    seconds: Math.round((performance.now() - began) / 1_000),
    answered: load.answered,
    notifications: await listener,
    failures: load.failures,
    warnings: rotating.warnings,
    longestUse: rotating.longest,
    leaked: await sessionsLeft(scenario),
  };
}

async function work(
  { connection: { host, port, database } }: Scenario,
  credentials: Credentials,
  library: Library,
  load: Load,
): Promise<void> {
  const options = { host, port, database, max: POOL_SIZE, idleTimeoutMillis: IDLE_TIMEOUT_MS };
  const application = openLibrary(library, credentials, options, (pool) =>
    pool.on('error', (error) => load.failures.push(`idle: ${error.message}`)),
  );
  const workers = Array.from({ length: POOL_SIZE }, async (_, worker) => {
    while (!load.signal.aborted) {
      try {
        await (worker % 2 === 0 ? application.ask() : application.transact());
        load.answered += 1;
      } catch (error) {
        load.failures.push((error as Error).message);
      }
      await sleep(PAUSE_MS);
    }
  });
  await Promise.all(workers);
  await application.close();
}

/**
 * An application that has to hear of every notification: on a change it listens on a new connection
 * before it releases the old one.
 */
async function listen(
  { connection: { host, port, database } }: Scenario,
  credentials: Credentials,
  load: Load,
): Promise<{ sent: number; missed: number }> {
  const pool = createRotatingPool(credentials, { host, port, database });
  const heard = new Set<string>();
  const subscribe = async () => {
    const client = await pool.connect();
    client.on('notification', ({ payload = '' }) => heard.add(payload));
    await client.query(`LISTEN ${CHANNEL}`);
    return client;
  };
  let subscribed: Promise<pg.PoolClient> = subscribe();
  const unsubscribe = credentials.onChange(() => {
    subscribed = subscribed.then(async (old) => {
      const next = await subscribe();
      old.release(true);
      return next;
    });
  });
  await subscribed;
  let sent = 0;
  while (!load.signal.aborted) {
    sent += 1;
    try {
      await pool.query('SELECT pg_catalog.pg_notify($1, $2)', [CHANNEL, String(sent)]);
    } catch (error) {
      load.failures.push(`notify: ${(error as Error).message}`);
    }
    await sleep(PAUSE_MS);
  }
  unsubscribe();
  const client = await subscribed;
  // A query's answer comes after the notifications before it.
  await client.query('SELECT 1');
  client.release(true);
  await pool.end();
  return { sent, missed: sent - heard.size };
}

async function sessionsLeft(scenario: Scenario): Promise<number> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const counts = await Promise.all(scenario.policy.logins.map((login) => countSessions(scenario, login)));
    const left = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    // The server ends a session a moment after its client has left.
    if (left === 0 || Date.now() > deadline) return left;
    await sleep(50);
  }
}

export function describeLibrarySoak(soaked: LibrarySoaked): string {
  const { library, rotations, seconds, answered, notifications, failures, longestUse, leaked } = soaked;
  return [
    `soak: ${library}, ${rotations} rotations in ${seconds} s`,
    `${answered} queries and transactions, ${failures.length} failed`,
    `${notifications.missed} of ${notifications.sent} notifications missed`,
    `${leaked} connections leaked`,
    `the old login was in use for ${(longestUse / 1_000).toFixed(1)} s after publish at most`,
  ].join(', ');
}

import pg from 'pg';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { adminOf } from './admin.ts';
import type { ServerAddress } from './scenario.ts';
import { uniqueName } from './unique-name.ts';

/** A clock that stands still until it is set. */
export interface SetClock {
  now(): number;
  set(instant: number | string): void;
}

export function setClock(instant: number | string): SetClock {
  const read = (value: number | string) => (typeof value === 'number' ? value : Date.parse(value));
  let now = read(instant);
  return {
    now: () => now,
    set(value) {
      now = read(value);
    },
  };
}

/** A clock that goes like this machine's, until it is set. */
export function shiftedClock(): SetClock {
  let shift = 0;
  return {
    now: () => Date.now() + shift,
    set(instant) {
      shift = (typeof instant === 'number' ? instant : Date.parse(instant)) - Date.now();
    },
  };
}

/** A ledger in a database of its own. */
export async function openTestLedger(
  server: ServerAddress,
  clock: { now(): number },
): Promise<AsyncDisposable & { readonly ledger: Ledger; readonly pool: pg.Pool; readonly url: string }> {
  const name = uniqueName('ledger');
  const admin = await adminOf(server);
  await admin.client.query(`CREATE DATABASE ${name}`);
  const { user, password, host, port } = server;
  const url = `postgresql://${user}:${encodeURIComponent(password)}@${host}:${port}/${name}`;
  const pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => {});
  return {
    ledger: await openLedger(pool, clock),
    pool,
    url,
    async [Symbol.asyncDispose]() {
      await pool.end();
      await admin.client.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin[Symbol.asyncDispose]();
    },
  };
}

import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { scramVerifier } from '../../src/postgres/logins/scram-verifier.ts';
import { uniqueName } from '../support/unique-name.ts';
import { promoteFiles, stageFiles } from './floor-files.ts';
import { inParallel } from './measure.ts';
import { PASSWORD, type Place, ROTATOR } from './place.ts';
import { makeLogins } from './seed.ts';

/** How many rows of the ledger one rotation of keyturn writes. */
export interface LedgerRows {
  readonly untilPublished: number;
  readonly untilRevoked: number;
}

/** Milliseconds from the beginning. */
export interface Times {
  readonly published: number;
  readonly revoked: number;
}

interface Lane {
  /** A session of the rotator that stays open. */
  readonly rotator: pg.Client;
  /** A session in the state database that stays open. */
  readonly ledger: pg.Client;
}

/**
 * The least that a rotation can be: a SCRAM verifier, ALTER ROLE, one login with the new password, a
 * count of the sessions of the other login, and NOLOGIN for it. No queue, no ledger and no store.
 * The honest floor also writes the files that keyturn's file store writes, with as many fsyncs, and
 * as many committed rows as keyturn's ledger.
 */
export interface Floor extends AsyncDisposable {
  rotate(
    pair: number,
    options?: { readonly lane?: number; readonly rows?: LedgerRows | undefined },
  ): Promise<Times>;
  /** Rotations per second, each pair once, so many at a time. */
  rate(inFlight: number, rows?: LedgerRows): Promise<number>;
}

/** A row as a line of the history is. */
export const ROW = `INSERT INTO bench.row (rotation, at, step, kind, fact) VALUES ($1, pg_catalog.clock_timestamp(), 'check', 'done', NULL)`;

export async function openFloor(place: Place, pairs: number, lanes: number): Promise<Floor> {
  const prefix = uniqueName('floor');
  const names = Array.from({ length: pairs }, (_, index): [string, string] => [
    `${prefix}_${index}_a`,
    `${prefix}_${index}_b`,
  ]);
  await makeLogins(place, names);
  await place.state.query(`CREATE SCHEMA IF NOT EXISTS bench;
    CREATE TABLE IF NOT EXISTS bench.row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, rotation uuid NOT NULL,
      at timestamptz NOT NULL, step text NOT NULL, kind text NOT NULL, fact jsonb)`);
  const open = await Promise.all(Array.from({ length: lanes }, () => openLane(place)));
  const rotate: Floor['rotate'] = (pair, { lane = 0, rows } = {}) => {
    const logins = names[pair];
    const used = open[lane];
    if (!logins || !used) throw new Error(`the floor has no pair ${pair} or no lane ${lane}`);
    logins.reverse();
    const [incoming, outgoing] = logins;
    return rotateOnce(place, used, { incoming, outgoing, folder: `${prefix}_${pair}`, rows });
  };
  return {
    rotate,
    async rate(inFlight, rows) {
      const began = performance.now();
      await inParallel(pairs, inFlight, (pair, lane) => rotate(pair, { lane, rows }));
      return (pairs * 1_000) / (performance.now() - began);
    },
    async [Symbol.asyncDispose]() {
      for (const { rotator, ledger } of open) await Promise.all([rotator.end(), ledger.end()]);
    },
  };
}

async function openLane({ target, workspace }: Place): Promise<Lane> {
  const { host, port } = target;
  const rotator = new pg.Client({
    host,
    port,
    database: workspace.target,
    user: ROTATOR,
    password: PASSWORD,
  });
  const ledger = new pg.Client(workspace.stateUrl);
  for (const client of [rotator, ledger]) {
    client.on('error', () => {});
    await client.connect();
  }
  return { rotator, ledger };
}

async function rotateOnce(
  { target, workspace }: Place,
  { rotator, ledger }: Lane,
  {
    incoming,
    outgoing,
    folder,
    rows,
  }: { incoming: string; outgoing: string; folder: string; rows: LedgerRows | undefined },
): Promise<Times> {
  const began = performance.now();
  const token = randomUUID();
  const path = join(workspace.folder, 'secrets', folder);
  const write = async (count: number) => {
    for (let row = 0; row < count; row += 1) await ledger.query(ROW, [token]);
  };
  const password = randomBytes(24).toString('base64url');
  if (rows) await stageFiles(path, token, { username: incoming, password });
  await rotator.query(`ALTER ROLE ${incoming} LOGIN PASSWORD '${scramVerifier(password)}'`);
  const { host, port } = target;
  const login = new pg.Client({ host, port, database: workspace.target, user: incoming, password });
  await login.connect();
  await login.end();
  if (rows) {
    await promoteFiles(path, token);
    await write(rows.untilPublished);
  }
  const published = performance.now() - began;
  await rotator.query('SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity WHERE usename = $1', [
    outgoing,
  ]);
  await rotator.query(`ALTER ROLE ${outgoing} NOLOGIN PASSWORD NULL`);
  if (rows) await write(rows.untilRevoked - rows.untilPublished);
  return { published, revoked: performance.now() - began };
}

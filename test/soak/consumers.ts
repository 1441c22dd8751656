import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { PgBouncer } from '../support/pgbouncer.ts';
import { findProgram } from '../support/programs.ts';
import type { Tally } from './tally.ts';

export const PGBENCH = findProgram('pgbench');

export const havePgbench = PGBENCH !== undefined;

/** What all consumers of a soak are given. */
export interface Consumer {
  readonly bouncer: PgBouncer;
  readonly tally: Tally;
  readonly signal: AbortSignal;
  /** For how many milliseconds a consumer may use a credential that it has read. */
  readonly grace: number;
}

const CLIENTS = 8;
/** In seconds: pgbench knows no other unit. It keeps one credential for so long. */
const RUN_S = 1;

/** Runs `pgbench -C` again and again: each transaction logs in anew, with what was published. */
export async function churn(consumer: Consumer, folder: string): Promise<void> {
  const script = join(folder, 'churn.sql');
  await writeFile(script, 'SELECT 1;\n');
  const { bouncer, tally, signal, grace } = consumer;
  const { host, port } = bouncer.console;
  const { database } = bouncer.scenario.connection;
  while (!signal.aborted) {
    const read = performance.now();
    const { username, password } = await bouncer.scenario.published();
    const place = ['-h', host, '-p', String(port), '-U', username, database];
    const load = ['-C', '-n', '-c', String(CLIENTS), '-T', String(RUN_S), '-f', script];
    const { output, code } = await run([...load, ...place], password);
    tally.answered.pgbench += Number(/actually processed: (\d+)/.exec(output)?.[1] ?? 0);
    const faults = output.split('\n').filter((line) => /error:|ERROR|FATAL|failed: [1-9]/.test(line));
    if (code === 0 && faults.length === 0) continue;
    if (performance.now() - read > grace) tally.late += 1;
    else for (const fault of faults.length > 0 ? faults : [`exit ${code}`]) tally.fail(nameless(fault));
  }
}

async function run(
  args: readonly string[],
  password: string,
): Promise<{ output: string; code: number | null }> {
  const child = spawn(String(PGBENCH), args, { env: { ...process.env, PGPASSWORD: password } });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { output, code };
}

const POOL_SIZE = 4;
/** Between two transactions. */
const PAUSE_MS = 50;
/** How often a consumer looks whether its credential was replaced. */
const LOOK_MS = 200;

/**
 * A consumer with a pool that lives as long as its credential is the published one. Then it opens
 * another, and lets the old one finish what it has begun.
 */
export async function usePools(consumer: Consumer): Promise<void> {
  const { bouncer, signal } = consumer;
  const { host, port } = bouncer.console;
  const { database } = bouncer.scenario.connection;
  const endings: Promise<void>[] = [];
  while (!signal.aborted) {
    const { username: user, password } = await bouncer.scenario.published();
    const pool = new pg.Pool({ host, port, database, user, password, max: POOL_SIZE });
    pool.on('error', (error) => consumer.tally.fail(`idle in a pool: ${nameless(error.message)}`));
    const replaced = new AbortController();
    const working = Array.from({ length: POOL_SIZE }, () => work(consumer, pool, replaced.signal));
    while (!signal.aborted && (await bouncer.scenario.published()).password === password)
      await sleep(LOOK_MS);
    replaced.abort();
    endings.push(Promise.all(working).then(() => pool.end()));
  }
  await Promise.all(endings);
}

/** Transactions, one after another, until the pool is replaced. */
async function work({ tally, signal }: Consumer, pool: pg.Pool, replaced: AbortSignal): Promise<void> {
  while (!signal.aborted && !replaced.aborted) {
    try {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await client.query('SELECT pg_catalog.pg_sleep(0.005)');
        await client.query('COMMIT');
        tally.answered.pools += 3;
      } finally {
        client.release();
      }
    } catch (error) {
      tally.fail(nameless((error as Error).message));
      await sleep(100);
    }
    await sleep(PAUSE_MS);
  }
}

/** The same text for each login and port. */
export function nameless(text: string): string {
  return text
    .replace(/policy-\w+/g, '<name>')
    .replace(/app_\w+/g, '<name>')
    .replace(/\d{2,}/g, '<n>')
    .trim();
}

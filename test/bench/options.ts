import type { OlderVersion, PostgresOptions } from '../support/postgres-server.ts';

/** What run.mjs was asked for. */
const { env } = process;

export const QUICK = env.KEYTURN_BENCH_QUICK === '1';
export const VERBOSE = env.KEYTURN_BENCH_VERBOSE === '1';
export const COMMAND = env.KEYTURN_BENCH_COMMAND ?? 'npm run bench';
/** Where run.mjs reads the tables. */
export const RESULT = env.KEYTURN_BENCH_RESULT;

const only = (env.KEYTURN_BENCH_ONLY ?? '').split(',').filter((letter) => letter !== '');

export const isWhole = only.length === 0 && !QUICK;

export function isAsked(letter: string): boolean {
  return only.length === 0 || only.includes(letter);
}

/** How many to measure, in a whole run and in a quick one. */
export function many(whole: number, quick: number): number {
  return QUICK ? quick : whole;
}

/** The server that is measured: by default the newest PostgreSQL with its own settings. */
export function serverOptions(settings: Readonly<Record<string, string>> = {}): PostgresOptions {
  const version = Number(env.KEYTURN_BENCH_POSTGRES || 0) as OlderVersion | 0;
  return {
    ...(version === 0 ? {} : { version }),
    settings: {
      fsync: env.KEYTURN_BENCH_FSYNC === 'off' ? 'off' : 'on',
      shared_preload_libraries: 'pg_stat_statements',
      'pg_stat_statements.max': '10000',
      ...settings,
    },
  };
}

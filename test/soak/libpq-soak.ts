import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { draining } from '../support/draining.ts';
import { PYTHON } from '../support/psycopg.ts';
import type { Scenario } from '../support/scenario.ts';
import { nameless, PGBENCH } from './consumers.ts';

export interface LibpqSoaked {
  readonly rotations: number;
  readonly seconds: number;
  /** Connections that worked, by who opened them. */
  readonly answered: { readonly pgbench: number; readonly psycopg: number };
  readonly failures: readonly string[];
  /** Logins that failed and had taken longer than the grace: the machine stood still. */
  readonly late: number;
}

const GRACE_MS = 2_000;
const CLIENTS = 4;
const LOOPS = 2;
/** In seconds: pgbench knows no other unit. */
const RUN_S = 2;
const FILE = 'app/pg_service.conf';

/** Rotates a policy whose consumers know nothing but a service file and the name of a service. */
export async function libpqSoak(from: Scenario, rotations: number): Promise<LibpqSoaked> {
  const [primary] = from.destinations;
  const secrets = { ...primary.secrets, service: { secret: FILE } };
  const scenario = draining(from.with({ destinations: [{ ...primary, secrets }] }), {
    grace: GRACE_MS,
    timeout: 60_000,
  });
  await rotate(scenario);
  const env = {
    PATH: process.env.PATH,
    PGSERVICEFILE: join(scenario.folder, 'app/..data/pg_service.conf'),
    PGSERVICE: scenario.policy.name,
  };
  const ended = new AbortController();
  const benched = churn(env, ended.signal);
  const looped = Array.from({ length: LOOPS }, () => loop(env, ended.signal));
  const began = performance.now();
  try {
    for (let count = 0; count < rotations; count += 1) await rotate(scenario);
  } finally {
    ended.abort();
    await Promise.allSettled([benched, ...looped]);
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  const [pgbench, ...psycopg] = await Promise.all([benched, ...looped]);
  return {
    rotations,
    seconds,
    answered: {
      pgbench: pgbench.answered,
      psycopg: psycopg.reduce((sum, { answered }) => sum + answered, 0),
    },
    failures: [pgbench, ...psycopg].flatMap(({ failures }) => failures),
    late: psycopg.reduce((sum, { late }) => sum + late, 0),
  };
}

async function rotate(scenario: Scenario): Promise<void> {
  const outcome = await scenario.finish(await scenario.request());
  if (outcome.status !== 'done') throw new Error(`a rotation is ${JSON.stringify(outcome)}`);
}

interface Seen {
  readonly answered: number;
  readonly failures: readonly string[];
  readonly late: number;
}

/** Runs `pgbench -C` again and again. It takes its own user's name for the database, unless told. */
async function churn(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Seen> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-soak-'));
  const script = join(folder, 'churn.sql');
  await writeFile(script, 'SELECT 1;\n');
  const load = ['-C', '-n', '-c', String(CLIENTS), '-T', String(RUN_S), '-f', script];
  let answered = 0;
  const failures: string[] = [];
  while (!signal.aborted) {
    const { output, code } = await run(String(PGBENCH), [...load, `service=${env.PGSERVICE}`], env);
    answered += Number(/actually processed: (\d+)/.exec(output)?.[1] ?? 0);
    const faults = output.split('\n').filter((line) => /error:|ERROR|FATAL|failed: [1-9]/.test(line));
    if (code !== 0 && faults.length === 0) faults.push(`exit ${code}`);
    failures.push(...faults.map(nameless));
  }
  await rm(folder, { recursive: true, force: true });
  return { answered, failures, late: 0 };
}

/** Logs in by psycopg until told to end. */
async function loop(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<Seen> {
  const script = join(import.meta.dirname, 'psycopg-loop.py');
  const { output, code } = await run(
    String(PYTHON),
    [script],
    { ...env, GRACE: String(GRACE_MS / 1_000) },
    signal,
  );
  if (code !== 0) throw new Error(`psycopg: ${output}`);
  const seen: Seen = JSON.parse(output);
  return { ...seen, failures: seen.failures.map(nameless) };
}

/** Ends the program's input once the signal is given. */
async function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  signal?: AbortSignal,
): Promise<{ output: string; code: number | null }> {
  const child = spawn(program, args, { env });
  if (signal?.aborted) child.stdin.end();
  signal?.addEventListener('abort', () => child.stdin.end(), { once: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((done) => child.once('close', done));
  return { output, code };
}

export function describeLibpqSoak({ rotations, seconds, answered, failures, late }: LibpqSoaked): string {
  return [
    `soak: service file, ${rotations} rotations in ${seconds} s`,
    `${answered.pgbench} connections of pgbench -C and ${answered.psycopg} of psycopg`,
    `${failures.length} failed, ${late} that took longer than the grace`,
  ].join(', ');
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { draining } from '../support/draining.ts';
import { startPgBouncer } from '../support/pgbouncer.ts';
import type { Scenario } from '../support/scenario.ts';
import { type Consumer, churn, usePools } from './consumers.ts';
import { type RotatedOften, rotateOften } from './rotate-often.ts';
import { Tally } from './tally.ts';

export type PoolMode = 'session' | 'transaction' | 'statement';

export interface Soaked {
  readonly rotations: number;
  readonly seconds: number;
  readonly tally: Tally;
  /** What the rotations warned of. A drain that ran into its deadline is among them. */
  readonly warnings: readonly string[];
  /** Milliseconds from the end of the grace to the end of the rotation, the longest of all. */
  readonly longestDrain: number;
}

/** Longer than a run of pgbench keeps a credential, also on a busy machine. */
const GRACE_MS = 3_000;
const POOLS = 3;

/** Rotates a policy whose consumers all go through a PgBouncer, and re-read what is published. */
export async function soak(scenario: Scenario, mode: PoolMode, rotations: number): Promise<Soaked> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-soak-'));
  await using bouncer = await startPgBouncer(scenario, { pool_mode: mode });
  const rotated = draining(bouncer.scenario, { grace: GRACE_MS, timeout: 60_000 });
  const tally = new Tally();
  const ended = new AbortController();
  const consumer: Consumer = { bouncer, tally, signal: ended.signal, grace: GRACE_MS };
  const consumers = [churn(consumer, folder), ...Array.from({ length: POOLS }, () => usePools(consumer))];
  const began = performance.now();
  let rotating: RotatedOften;
  try {
    rotating = await rotateOften(rotated, rotations);
  } finally {
    ended.abort();
    await Promise.all(consumers);
    await rm(folder, { recursive: true, force: true });
  }
  const seconds = Math.round((performance.now() - began) / 1_000);
  const { warnings, longest } = rotating;
  return { rotations, seconds, tally, warnings, longestDrain: longest - GRACE_MS };
}

export function describeSoak(mode: PoolMode, { rotations, seconds, tally, longestDrain }: Soaked): string {
  const { pgbench, pools } = tally.answered;
  return [
    `soak: ${mode} pooling, ${rotations} rotations in ${seconds} s`,
    `${pgbench} logins of pgbench -C and ${pools} queries of pools`,
    `${tally.failed} failed, ${tally.late} with a credential older than the grace`,
    `longest drain after the grace ${(longestDrain / 1_000).toFixed(1)} s`,
  ].join(', ');
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsProxy } from '../support/aws-proxy.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import type { Crew } from './crew.ts';
import type { FleetPolicy } from './fleet.ts';
import { breakPublished } from './hand.ts';
import { promoteReplica } from './promote-replica.ts';
import type { Publications } from './publications.ts';
import type { Random } from './random.ts';
import { stopAcrossRotations } from './stop-across-rotations.ts';
import type { Watch } from './watch-doors.ts';

/** Longer than BullMQ's lock on a job, so that another worker takes it over meanwhile. */
const STOPPED_MS = 12_000;

export interface Victims extends Watch {
  readonly crew: Crew;
  readonly policies: ReadonlyMap<FleetPolicy, Publications>;
  readonly state: PostgresServer;
  readonly proxy: TcpProxy;
  readonly aws: AwsProxy | undefined;
  readonly redis: { restart(): Promise<void>; flush(): Promise<void> } | undefined;
}

/** A kind of fault. */
export interface Fault {
  /** How often it comes, compared with the others. */
  readonly weight: number;
  /** Whether the storm goes on meanwhile, with the same kind of fault left out. */
  readonly isLong?: true;
  /** Resolves when it is over, to false where nothing came of it. */
  run(victims: Victims, random: Random): Promise<unknown>;
}

export const FAULTS: Readonly<Record<string, Fault>> = {
  kill: {
    weight: 2,
    async run({ crew }, random) {
      const worker = random.pick(crew.free())?.worker;
      if (!worker) return false;
      return worker.kill();
    },
  },
  // For longer than its lock.
  stop: {
    weight: 1,
    isLong: true,
    async run({ crew }, random) {
      using post = crew.borrow(random);
      const worker = post?.worker;
      if (!worker) return false;
      process.kill(worker.pid, 'SIGSTOP');
      await sleep(STOPPED_MS);
      if (!worker.hasEnded()) process.kill(worker.pid, 'SIGCONT');
      return true;
    },
  },
  'stop-long': { weight: 3, isLong: true, run: stopAcrossRotations },
  clock: { weight: 3, isLong: true, run: setClockWrong },
  hand: {
    weight: 4,
    isLong: true,
    async run(victims, random) {
      // Soon after some policy has published.
      const end = Date.now() + 15_000;
      while (Date.now() < end && !victims.signal.aborted) {
        // Where an emergency is asked for, the old password counts as worth nothing.
        const able = [...victims.policies].filter(([{ mayLeak }]) => !mayLeak);
        const [policy, store] = random.pick(able);
        if (await breakPublished(policy, store, victims, random)) return true;
        await sleep(random.between(20, 200));
      }
      return false;
    },
  },
  promote: { weight: 3, isLong: true, run: promoteReplica },
  // Right after some policy has published.
  crash: {
    weight: 3,
    isLong: true,
    async run({ target, policies, signal }, random) {
      const known = new Set(
        [...policies.values()].flatMap((store) => store.all()).map(({ version }) => version),
      );
      const isNew = () => [...policies.values()].some(({ latest }) => latest && !known.has(latest.version));
      const end = Date.now() + 15_000;
      while (!isNew()) {
        if (Date.now() > end || signal.aborted) return false;
        await sleep(10);
      }
      // Later it would not be right after it.
      if (target.isMoving) return false;
      await target.crash(random.between(200, 1_500));
      return true;
    },
  },
  restart: { weight: 1, run: ({ target }, random) => target.crash(random.between(200, 1_500)) },
  'restart-state': {
    weight: 1,
    async run({ state }, random) {
      await state.stop('immediate');
      await sleep(random.between(200, 1_500));
      await state.start();
    },
  },
  drop: { weight: 1, run: async ({ proxy }) => proxy.drop() },
  'half-close': { weight: 1, run: async ({ proxy }) => proxy.halfClose() },
  stall: {
    weight: 1,
    async run({ proxy }, random) {
      const time = random.between(500, 3_000);
      proxy.stall(time);
      await sleep(time);
    },
  },
  'aws-throttle': { weight: 1, run: ({ aws }, random) => failAws(aws, 'throttle', random) },
  'aws-error': { weight: 1, run: ({ aws }, random) => failAws(aws, 'error', random) },
  'aws-lost': { weight: 1, run: ({ aws }, random) => failAws(aws, 'applied, but no answer', random) },
  'redis-restart': { weight: 1, run: async ({ redis }) => redis?.restart() },
  'redis-flush': { weight: 1, run: async ({ redis }) => redis?.flush() },
};

/** The kinds that a soak may use. Throws where one was asked for that does not exist. */
export function kindsOf(only: readonly string[], { redis, aws }: Pick<Victims, 'redis' | 'aws'>): string[] {
  const unknown = only.filter((kind) => !(kind in FAULTS) && kind !== 'operator');
  if (unknown.length > 0) {
    throw new Error(`No fault ${unknown.join(', ')}; there are: operator, ${Object.keys(FAULTS).join(', ')}`);
  }
  return Object.keys(FAULTS).filter(
    (kind) =>
      (only.length === 0 || only.includes(kind)) &&
      (redis !== undefined || !kind.startsWith('redis-')) &&
      (aws !== undefined || !kind.startsWith('aws-')),
  );
}

async function failAws(
  aws: AwsProxy | undefined,
  fault: Parameters<AwsProxy['fail']>[0],
  random: Random,
): Promise<void> {
  const time = random.between(500, 3_000);
  aws?.fail(fault, time);
  await sleep(time);
}

const MINUTE_MS = 60_000;
const SHIFTS_MS = [-60, -10, 10, 60, 400 * 24 * 60].map((minutes) => minutes * MINUTE_MS);

/** Has a worker run with a wrong clock for a while. */
async function setClockWrong({ crew, tally, signal }: Victims, random: Random): Promise<boolean> {
  using post = crew.borrow(random);
  if (!post) return false;
  post.shift = random.pick(SHIFTS_MS);
  tally.note(`the clock of a worker is wrong by ${post.shift / MINUTE_MS} minutes`);
  await post.worker?.kill();
  await sleep(random.between(15_000, 40_000), undefined, { signal }).catch(() => {});
  post.shift = 0;
  await post.worker?.kill();
  tally.note('the clocks of all workers are right');
  return true;
}

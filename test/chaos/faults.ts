import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsProxy } from '../support/aws-proxy.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';
import type { Random } from './random.ts';

/** Longer than BullMQ's lock on a job, so that another worker takes it over meanwhile. */
const STOPPED_MS = 12_000;
const SWEEP_MS = 2_000;

/** Workers that are started anew whenever they end. */
export interface Crew extends AsyncDisposable {
  readonly workers: readonly WorkerProcess[];
  /** What all of them logged. */
  log(): string;
}

export async function openCrew(folder: string, size: number): Promise<Crew> {
  const workers: WorkerProcess[] = [];
  let log = '';
  let closing = false;
  const keep = async (index: number) => {
    while (!closing) {
      const worker = workers[index];
      if (!worker || worker.hasEnded()) {
        if (worker) log += worker.log();
        // One that cannot start, because a server is down, is tried again, as a supervisor does it.
        const started = await startWorkerProcess(folder, SWEEP_MS).catch((error: Error) => {
          log += error.message;
        });
        if (started) workers[index] = started;
      }
      await sleep(200);
    }
  };
  const keepers = Array.from({ length: size }, (_, index) => keep(index));
  while (workers.filter(Boolean).length < size) await sleep(100);
  return {
    workers,
    log: () => log + workers.map((worker) => worker.log()).join(''),
    async [Symbol.asyncDispose]() {
      closing = true;
      await Promise.all(keepers);
      for (const worker of workers) if (!worker.hasEnded()) process.kill(worker.pid, 'SIGCONT');
      await Promise.all(workers.map((worker) => worker.stop()));
    },
  };
}

export interface Victims {
  readonly crew: Crew;
  readonly target: PostgresServer;
  readonly state: PostgresServer;
  readonly proxy: TcpProxy;
  readonly aws: AwsProxy | undefined;
  readonly redis: { restart(): Promise<void>; flush(): Promise<void> } | undefined;
}

/** One fault, begun at once; resolves when it is over. */
export type Fault = (victims: Victims, random: Random) => Promise<void>;

const restart = async (server: PostgresServer, random: Random) => {
  await server.stop('immediate');
  await sleep(random.between(200, 1_500));
  await server.start();
};

/** The faults, each as often as it stands here. */
export const FAULTS: Readonly<Record<string, Fault>> = {
  'kill a worker': async ({ crew }, random) => random.pick(crew.workers).kill(),
  'kill another worker': async ({ crew }, random) => random.pick(crew.workers).kill(),
  'stop a worker for longer than its lock': async ({ crew }, random) => {
    const worker = random.pick(crew.workers);
    if (worker.hasEnded()) return;
    process.kill(worker.pid, 'SIGSTOP');
    await sleep(STOPPED_MS);
    if (!worker.hasEnded()) process.kill(worker.pid, 'SIGCONT');
  },
  'restart the target': ({ target }, random) => restart(target, random),
  'restart the state database': ({ state }, random) => restart(state, random),
  'drop the connections to the target': async ({ proxy }) => proxy.drop(),
  'half-close the connections to the target': async ({ proxy }) => proxy.halfClose(),
  'stall the connections to the target': async ({ proxy }, random) => {
    const time = random.between(500, 3_000);
    proxy.stall(time);
    await sleep(time);
  },
  'throttle AWS': ({ aws }, random) => failAws(aws, 'throttle', random),
  'fail AWS': ({ aws }, random) => failAws(aws, 'error', random),
  'lose answers of AWS': ({ aws }, random) => failAws(aws, 'applied, but no answer', random),
  'restart Redis': async ({ redis }) => redis?.restart(),
  'flush Redis': async ({ redis }) => redis?.flush(),
};

async function failAws(
  aws: AwsProxy | undefined,
  fault: Parameters<AwsProxy['fail']>[0],
  random: Random,
): Promise<void> {
  const time = random.between(500, 3_000);
  aws?.fail(fault, time);
  await sleep(time);
}

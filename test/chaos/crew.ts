import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { tellError } from '../../src/messages/tell.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';
import type { Random } from './random.ts';

const SWEEP_MS = 2_000;
const SHIFTED_CLOCK = pathToFileURL(resolve(import.meta.dirname, '../support/shifted-clock.mjs')).href;

/** A place for a worker, which is started anew whenever it ends. */
export interface Post {
  readonly worker: WorkerProcess | undefined;
  /** From its next start on, by how much its clock is wrong; milliseconds. */
  shift: number;
}

export interface Crew extends AsyncDisposable {
  /** Those that nobody has borrowed. */
  free(): Post[];
  /** Lets a fault have one for a while; undefined where one more would leave too few to go on. */
  borrow(random: Random): (Post & Disposable) | undefined;
  /** What all of them logged. */
  log(): string;
}

/** How many must be left alone. */
const ENOUGH = 2;

export async function openCrew(folder: string, size: number): Promise<Crew> {
  const posts = Array.from({ length: size }, () => new RealPost());
  let log = '';
  let closing = false;
  const keep = async (post: RealPost) => {
    while (!closing) {
      if (!post.worker || post.worker.hasEnded()) {
        if (post.worker) log += post.worker.log();
        post.worker = undefined;
        // One that cannot start, because a server is down, is tried again, as a supervisor does it.
        post.worker = await startWorkerProcess(folder, SWEEP_MS, environmentOf(post)).catch(
          (error: Error) => {
            log += tellError(error);
            return undefined;
          },
        );
        if (!post.worker) await sleep(500);
      }
      await sleep(200);
    }
  };
  const keepers = posts.map(keep);
  while (posts.some(({ worker }) => !worker)) await sleep(100);
  const free = () => posts.filter(({ isBorrowed }) => !isBorrowed);
  return {
    free,
    borrow(random) {
      const able = free().filter(({ worker }) => worker && !worker.hasEnded());
      if (able.length <= ENOUGH) return undefined;
      const post = random.pick(able);
      post.isBorrowed = true;
      return post;
    },
    log: () => log + posts.map(({ worker }) => worker?.log() ?? '').join(''),
    async [Symbol.asyncDispose]() {
      closing = true;
      await Promise.all(keepers);
      for (const { worker } of posts) {
        if (worker && !worker.hasEnded()) process.kill(worker.pid, 'SIGCONT');
      }
      await Promise.all(posts.map(({ worker }) => worker?.stop()));
    },
  };
}

class RealPost implements Post {
  worker: WorkerProcess | undefined;
  shift = 0;
  isBorrowed = false;

  [Symbol.dispose](): void {
    this.isBorrowed = false;
  }
}

function environmentOf({ shift }: RealPost): Readonly<Record<string, string>> {
  if (shift === 0) return {};
  return { NODE_OPTIONS: `--import ${SHIFTED_CLOCK}`, KEYTURN_TEST_CLOCK_SHIFT: String(shift) };
}

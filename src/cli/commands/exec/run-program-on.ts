import { isFault } from '../../../facts/fault.ts';
import { tellError } from '../../../messages/tell.ts';
import type { Io } from '../../io.ts';
import { writeError } from '../../write-error.ts';
import { childEnvironment, isSameEnvironment, type Variable } from './child-environment.ts';
import type { OnRotate } from './on-rotate.ts';
import type { Published } from './published.ts';
import { Supervisor } from './supervisor.ts';
import { watchPublished } from './watch-published.ts';

export interface RunOptions {
  readonly env?: readonly Variable[];
  readonly onRotate: OnRotate;
  /** Durations in milliseconds. */
  readonly every: number;
  readonly settle: number;
  readonly splay: number;
  readonly stopTimeout: number;
}

/** As of a shell, where there is no such program, or it cannot be executed. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/**
 * Runs a program with the published credential in its environment until it ends, and returns its
 * exit code. While the store is away, the program goes on with what it has.
 */
export async function runProgramOn(
  published: Published,
  command: readonly string[],
  io: Io,
  { env = [], onRotate, stopTimeout, ...times }: RunOptions,
): Promise<number> {
  const read = async () => childEnvironment(io.env, await published.read(), env);
  let running = await read();
  const supervisor = new Supervisor(command, stopTimeout);
  const say = (text: string) => io.stderr.write(`keyturn: ${text}`);
  const watch = watchPublished({
    ...times,
    folders: published.folders,
    async isChanged() {
      return !isSameEnvironment(running, await read());
    },
    async onChange() {
      const next = await read();
      // It may be the old one again by now.
      if (isSameEnvironment(running, next)) return;
      running = next;
      say(`the credential has changed: ${ACTIONS[onRotate.kind]}`);
      if (onRotate.kind === 'restart') supervisor.restart(next);
      if (onRotate.kind === 'signal') supervisor.signal(onRotate.signal);
    },
    onFault: (error) => say(`${tellError(error)}; the program keeps what it has`),
  });
  try {
    supervisor.start(running);
    return await supervisor.ended;
  } catch (error) {
    if (!isFault(error, 'exec-program-not-started')) throw error;
    writeError(io, error);
    return error.fact.params.errno === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE;
  } finally {
    watch.close();
  }
}

const ACTIONS: Readonly<Record<OnRotate['kind'], string>> = {
  restart: 'restarting the program',
  signal: 'sending the program a signal',
  none: 'the program is left as it is',
};

import { spawn } from 'node:child_process';
import type { CommandSink } from '../config/sink.ts';
import { environment } from '../environment.ts';
import { fact } from '../facts/fact.ts';
import { type Attempt, away, DELIVERED } from './attempt.ts';
import type { ToldEvent } from './told-event.ts';

/**
 * Runs a program with the event as JSON on its stdin. No shell is between. Its output is not read.
 * If it takes too long, or `signal` says so, it is killed with all that it has started.
 */
export async function runCommand(
  { command, env, timeout }: CommandSink,
  event: ToldEvent,
  signal: AbortSignal,
): Promise<Attempt> {
  signal.throwIfAborted();
  const [program = '', ...args] = command;
  const late = AbortSignal.timeout(timeout);
  const ended = await run(program, args, env, JSON.stringify(event), AbortSignal.any([signal, late]));
  signal.throwIfAborted();
  if (late.aborted) return away(fact('sink-too-slow', { seconds: Math.ceil(timeout / 1000) }));
  if (ended instanceof Error) {
    const { code: detail = ended.message } = ended as NodeJS.ErrnoException;
    return away(fact('sink-command-not-started', { command: program, detail }));
  }
  if (ended.exit === 0) return DELIVERED;
  return { isDelivered: false, fact: fact('sink-command-failed', ended), isSinkAway: false };
}

interface Ended {
  readonly exit: number | null;
  readonly signal: string | null;
}

function run(
  program: string,
  args: readonly string[],
  env: CommandSink['env'],
  input: string,
  signal: AbortSignal,
): Promise<Ended | Error> {
  return new Promise((resolve) => {
    // A process group of its own, so that it ends with all that it has started.
    const child = spawn(program, args, {
      env: { PATH: environment.PATH, ...env },
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    const kill = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has just ended.
      }
    };
    signal.addEventListener('abort', kill, { once: true });
    const settle = (ended: Ended | Error) => {
      signal.removeEventListener('abort', kill);
      resolve(ended);
    };
    child.on('error', settle);
    child.on('exit', (exit, by) => settle({ exit, signal: by }));
    // A program that does not read its stdin has closed it.
    child.stdin.on('error', () => {}).end(input);
  });
}

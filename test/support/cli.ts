import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';

export const MAIN = resolve(import.meta.dirname, '../../dist/bundle/main.js');

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** As another user, which only root may. */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
}

export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a keyturn command as a user does, from the built files, to its end. */
export async function cli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const running = startCli(args, options);
  const code = await running.exited;
  return { code, stdout: running.stdout(), stderr: running.stderr() };
}

export interface RunningCli extends AsyncDisposable {
  readonly process: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout(): string;
  stderr(): string;
  /** Resolves once either output has the text; rejects when the process ends before. */
  says(text: string): Promise<void>;
}

/** Starts a keyturn command. Disposing of it ends it with SIGTERM. */
export function startCli(args: readonly string[], { cwd, env = {}, as = undefined }: CliOptions): RunningCli {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...as,
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk;
    });
  }
  const exited = new Promise<number | null>((done) => child.on('close', done));
  return {
    process: child,
    exited,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    says(text) {
      return new Promise((found, lost) => {
        const look = () => {
          if ((output.stdout + output.stderr).includes(text)) found();
        };
        child.stdout.on('data', look);
        child.stderr.on('data', look);
        child.on('close', () =>
          lost(new Error(`ended without saying ${text}:\n${output.stdout}${output.stderr}`)),
        );
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
    },
  };
}

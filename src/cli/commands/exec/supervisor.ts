import { type ChildProcess, spawn } from 'node:child_process';
import { isatty } from 'node:tty';
import { fault } from '../../../facts/fault.ts';
import { exitCodeOfSignal } from './on-rotate.ts';

type ProgramEnvironment = Readonly<Record<string, string>>;

/** Signals that somebody sends to keyturn and means for the program. */
const PASSED: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];

/** Runs a program, and another in its place when it is told to. There is one at a time. */
export class Supervisor {
  /**
   * Resolves with the exit code when the program has ended by itself or by a signal, 128 and the
   * signal's number for that. Rejects with `exec-program-not-started`.
   */
  readonly ended: Promise<number>;
  readonly #command: readonly string[];
  readonly #stopTimeout: number;
  readonly #removeListeners: () => void;
  #end: (code: number) => void = () => {};
  #fail: (error: unknown) => void = () => {};
  #child: ChildProcess | undefined;
  /** What the next program gets, while the present one is stopped. */
  #next: ProgramEnvironment | undefined;
  #kill: NodeJS.Timeout | undefined;
  #isEnding = false;

  /** `stopTimeout`: milliseconds from SIGTERM to SIGKILL at a restart. */
  constructor(command: readonly string[], stopTimeout: number) {
    this.#command = command;
    this.#stopTimeout = stopTimeout;
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    const pass = (signal: NodeJS.Signals) => this.#pass(signal);
    for (const signal of PASSED) process.on(signal, pass);
    this.#removeListeners = () => {
      for (const signal of PASSED) process.off(signal, pass);
    };
  }

  start(environment: ProgramEnvironment): void {
    const [program = '', ...args] = this.#command;
    let child: ChildProcess;
    try {
      child = spawn(program, args, { env: environment, stdio: 'inherit' });
    } catch (cause) {
      // Some errors are thrown, such as E2BIG. A message may have a value of the environment in it.
      this.#notStarted(program, cause as Error);
      return;
    }
    this.#child = child;
    // A signal that could not be sent is an error, too.
    child.once('error', (cause) => {
      if (child.pid === undefined) this.#notStarted(program, cause);
    });
    child.once('exit', (code, signal) => this.#ended(code, signal));
  }

  /** Stops the program, and starts it with another environment when it has ended. */
  restart(environment: ProgramEnvironment): void {
    const isStopping = this.#next !== undefined;
    this.#next = environment;
    if (isStopping || this.#isEnding) return;
    const child = this.#child;
    child?.kill('SIGTERM');
    this.#kill = setTimeout(() => child?.kill('SIGKILL'), this.#stopTimeout);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  #pass(signal: NodeJS.Signals): void {
    // A program may go on after SIGINT: psql cancels a query. So only during a stop it is the end.
    const isStopping = this.#next !== undefined;
    if (signal === 'SIGTERM' || (signal === 'SIGINT' && isStopping)) this.#isEnding = true;
    // Ctrl-C reaches everything on the terminal; twice would be an order to stop at once.
    if (signal === 'SIGINT' && isatty(0)) return;
    this.signal(signal);
  }

  #notStarted(program: string, { code: errno = 'unknown' }: NodeJS.ErrnoException): void {
    this.#removeListeners();
    this.#fail(fault('exec-program-not-started', { program, errno }));
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    clearTimeout(this.#kill);
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined && !this.#isEnding) {
      this.start(next);
      return;
    }
    this.#removeListeners();
    this.#end(code ?? (signal === null ? 1 : exitCodeOfSignal(signal)));
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export const isRoot = process.getuid?.() === 0;
/** Users and a group that own nothing on this machine; they need no name. */
export const KEYTURN_USER = 61_001;
export const CONSUMER = 61_002;
export const GROUP = 61_010;

export interface User {
  readonly uid: number;
  readonly gid: number;
  /** Beside `gid`, which is the first group. */
  readonly groups?: readonly number[];
}

/** A program of JavaScript that runs as another user, and prints a line of JSON at a time. */
export interface Running<Line> extends AsyncDisposable {
  readonly lines: readonly Line[];
  /** Resolves once a line fits, those before included. */
  until(fits: (line: Line) => boolean): Promise<Line>;
  signal(name: NodeJS.Signals): void;
  /** Has the program end, and resolves once it has. Throws what it said on stderr, if anything. */
  stop(): Promise<void>;
}

/** Starts a program as another user, which only root may. It is stopped by the end of its stdin. */
export function runAs<Line>({ uid, gid, groups = [] }: User, program: string): Running<Line> {
  const become = `process.setgroups(${JSON.stringify(groups)}); process.setgid(${gid}); process.setuid(${uid});
    let going = true; process.stdin.on('end', () => { going = false; }).resume();
    const say = (line) => process.stdout.write(JSON.stringify(line) + '\\n');`;
  const child: ChildProcess = spawn(
    process.execPath,
    ['--input-type=module', '-e', `${become}\n${program}`],
    { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] },
  );
  const lines: Line[] = [];
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const look of waiting) look();
  };
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  if (!child.stdout) throw new Error('its stdout is a pipe');
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(JSON.parse(line));
    tell();
  });
  const ended = once(child, 'close').then(tell);
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  return {
    lines,
    until: (fits) =>
      new Promise((found, lost) => {
        const look = () => {
          const line = lines.find(fits);
          if (line === undefined && !isOver()) return;
          waiting.delete(look);
          if (line === undefined) lost(new Error(`it ended: ${said}`));
          else found(line);
        };
        waiting.add(look);
        look();
      }),
    signal(name) {
      child.kill(name);
    },
    async stop() {
      child.stdin?.end();
      await ended;
      if (said !== '') throw new Error(said);
    },
    async [Symbol.asyncDispose]() {
      if (!isOver()) child.kill('SIGKILL');
      await ended;
    },
  };
}

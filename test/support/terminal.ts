import { spawn } from 'node:child_process';
import { type CliOptions, MAIN } from './cli.ts';

export const CTRL_C = '\x03';
export const CTRL_D = '\x04';

/**
 * Runs a keyturn command in a terminal of its own, types what is given once it asks or shows `when`, and returns what
 * the terminal showed. https://man7.org/linux/man-pages/man1/script.1.html makes the terminal.
 */
export async function inTerminal(
  args: readonly string[],
  typed: string,
  {
    cwd,
    env = {},
    columns = 160,
    when = /Type \S+: /,
  }: CliOptions & { readonly columns?: number; readonly when?: RegExp },
): Promise<{ readonly code: number | null; readonly shown: string }> {
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  // Without a size nothing is drawn on it.
  const command = `stty rows 40 columns ${columns}; exec ${words}`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let answered = false;
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    shown += chunk;
    if (answered || !when.test(shown)) return;
    answered = true;
    child.stdin.write(typed);
  });
  const code = await new Promise<number | null>((done) => child.on('close', done));
  return { code, shown };
}

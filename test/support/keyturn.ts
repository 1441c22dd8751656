import type { Io } from '../../src/cli/io.ts';
import { openOutput } from '../../src/cli/output/output.ts';
import { runProgram } from '../../src/cli/run-program.ts';
import type { CliOptions, CliResult } from './cli.ts';

/** Runs a keyturn command in this process: as `cli` does, without the time that starting another takes. */
export async function keyturn(args: readonly string[], { cwd, env = {} }: CliOptions): Promise<CliResult> {
  const said = { stdout: '', stderr: '' };
  let code = 0;
  const output = (name: 'stdout' | 'stderr') =>
    openOutput({
      write: (text) => {
        said[name] += text;
      },
    });
  const io: Io = {
    env: { ...process.env, KEYTURN_LOG_LEVEL: 'silent', ...env },
    cwd,
    stdout: output('stdout'),
    stderr: output('stderr'),
    exit: (given) => {
      code = given;
    },
  };
  await runProgram(io, args, { description: '', version: '' });
  return { code, ...said };
}

import { Command } from 'commander';
import { registerCommands } from '../../src/cli/commands.ts';
import { openOutput } from '../../src/cli/output/output.ts';
import { exitCodeOf, writeError } from '../../src/cli/write-error.ts';
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
  const stderr = output('stderr');
  const program = new Command('keyturn').exitOverride();
  registerCommands(program, {
    env: { ...process.env, KEYTURN_LOG_LEVEL: 'silent', ...env },
    cwd,
    stdout: output('stdout'),
    stderr,
    exit: (given) => {
      code = given;
    },
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    writeError({ stderr }, error);
    code = exitCodeOf(error);
  }
  return { code, ...said };
}

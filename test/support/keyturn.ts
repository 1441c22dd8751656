import { Command } from 'commander';
import { exitCodeOf, messageOf, registerCommands } from '../../src/cli/commands.ts';
import type { CliOptions, CliResult } from './cli.ts';

/** Runs a keyturn command in this process: as `cli` does, without the time that starting another takes. */
export async function keyturn(args: readonly string[], { cwd, env = {} }: CliOptions): Promise<CliResult> {
  const said = { stdout: '', stderr: '' };
  let code = 0;
  const output = (name: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      said[name] += text;
    },
  });
  const program = new Command('keyturn').exitOverride();
  registerCommands(program, {
    env: { ...process.env, KEYTURN_LOG_LEVEL: 'silent', ...env },
    cwd,
    stdout: output('stdout'),
    stderr: output('stderr'),
    exit: (given) => {
      code = given;
    },
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    said.stderr += `${messageOf(error)}\n`;
    code = exitCodeOf(error);
  }
  return { code, ...said };
}

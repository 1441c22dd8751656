import { Command, CommanderError } from 'commander';
import { registerCommands } from './commands.ts';
import type { Io } from './io.ts';
import type { Output } from './output/output.ts';

/** What help says of the program. */
export interface About {
  readonly description: string;
  readonly version: string;
}

/**
 * Runs one command line to its end. What it throws is written on stderr, and sets the exit code.
 */
export async function runProgram(io: Io, args: readonly string[], about: About): Promise<void> {
  const json = asksForJson(args);
  const program = new Command('keyturn')
    .description(about.description)
    .version(about.version)
    .exitOverride()
    // With --json commander's words become an error like any other.
    .configureOutput({ writeOut: linesTo(io.stdout), writeErr: json ? () => {} : linesTo(io.stderr) })
    .showHelpAfterError('(keyturn --help lists the commands)');
  registerCommands(program, io);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || !json)) {
      return io.exit(error.exitCode === 0 ? 0 : 2);
    }
    // The messages take longer to load than all that a command without a fault needs.
    const { exitCodeOf, writeError } = await import('./write-error.ts');
    writeError(io, error, { json });
    io.exit(exitCodeOf(error));
  }
}

/** Whether `--json` is among the options, also where the rest of the command line is wrong. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** Help has many lines, and all of its text is our own. */
function linesTo(output: Output): (text: string) => void {
  return (text) => {
    for (const line of text.replace(/\n$/, '').split('\n')) output.write(line);
  };
}

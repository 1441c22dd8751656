import { Command, CommanderError } from 'commander';
import { fault } from '../facts/fault.ts';
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
    // Commander's words become an error like any other.
    .configureOutput({
      writeOut: linesTo(io.stdout),
      writeErr: linesTo(io.stderr),
      outputError: () => {},
    });
  registerCommands(program, io);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (thrown) {
    const isUsage = thrown instanceof CommanderError;
    if (isUsage && (thrown.exitCode === 0 || thrown.code === 'commander.help')) {
      return io.exit(thrown.exitCode === 0 ? 0 : 2);
    }
    // These and the messages take longer to load than all that a command without a fault needs.
    const [{ exitCodeOf, writeError }, { usageWords }] = await Promise.all([
      import('./write-error.ts'),
      import('./usage-words.ts'),
    ]);
    const error = isUsage
      ? fault('usage-wrong', { detail: usageWords(thrown.message), help: helpOf(program, args) })
      : thrown;
    writeError(io, error, { json });
    io.exit(exitCodeOf(error));
  }
}

/** Whether `--json` is among the options, also where the rest of the command line is wrong. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? undefined : end).includes('--json');
}

/** The command line that shows the help of the command that `args` names. */
function helpOf(program: Command, args: readonly string[]): string {
  const path = ['keyturn'];
  let at = program;
  for (const arg of args) {
    const next = at.commands.find((each) => each.name() === arg);
    if (!next) break;
    path.push(arg);
    at = next;
  }
  return `${path.join(' ')} --help`;
}

/** Help has many lines, and all of its text is our own. */
function linesTo(output: Output): (text: string) => void {
  return (text) => {
    for (const line of text.replace(/\n$/, '').split('\n')) output.write(line);
  };
}

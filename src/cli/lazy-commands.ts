import type { Command } from 'commander';
import type { Io } from './io.ts';

/**
 * A command whose module is loaded when it is called: most of them need a lot that others do not.
 */
export interface LazyCommand {
  /** Its name and arguments, as commander has them. */
  readonly usage: string;
  readonly description: string;
  /** Loads what adds its options and its action. */
  readonly load: () => Promise<(subcommand: Command, io: Io) => void>;
}

/**
 * Adds commands to their parent. Only what a list of commands shows is there before one is called.
 */
export function addLazyCommands(parent: Command, io: Io, commands: readonly LazyCommand[]): void {
  const loads = new Map(
    commands.map(({ usage, description, load }) => [parent.command(usage).description(description), load]),
  );
  parent.hook('preSubcommand', async (_, subcommand) => {
    const load = loads.get(subcommand);
    loads.delete(subcommand);
    (await load?.())?.(subcommand, io);
  });
  // Commander's own would print the help of a command that is not loaded.
  parent
    .helpCommand(false)
    .command('help [command]')
    .usage('[command]')
    .description('display help for command')
    .action(async (name: string | undefined) => {
      await parent.parseAsync(name === undefined ? ['--help'] : [name, '--help'], { from: 'user' });
    });
  // All have options, but they are not there yet.
  parent.configureHelp({ subcommandTerm: (subcommand) => `${subcommand.name()} ${subcommand.usage()}` });
}

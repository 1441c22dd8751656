import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { describePause } from '../output/describe-requester.ts';
import { addReasonOption, type ReasonOption, requester } from '../requester.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerPause(subcommand: Command, io: Io): void {
  addReasonOption(subcommand)
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .action((names: string[], options: ConfigOption & ReasonOption) =>
      withApp(io, options, async (app) => {
        const ledger = await app.ledger();
        for (const { name } of names.map((name) => app.policy(name))) {
          const now = await ledger.pause(name, requester(options));
          const timing = await ledger.timing(name);
          io.stdout.write(
            now
              ? `${name}: paused; resume it with: keyturn resume ${name}\n`
              : `${name}: paused already, since ${timing.pausedAt?.toISOString()} by ${describePause(timing)}\n`,
          );
        }
      }),
    );
}

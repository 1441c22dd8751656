import type { Command } from 'commander';
import type { Io } from '../io.ts';
import { requester } from '../request-rotation.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerPause(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .action((names: string[], options: ConfigOption) =>
      withApp(io, options, async (app) => {
        const ledger = await app.ledger();
        for (const { name } of names.map((name) => app.policy(name))) {
          const now = await ledger.pause(name, requester(io));
          const { pausedAt, pausedBy } = await ledger.timing(name);
          io.stdout.write(
            now
              ? `${name}: paused; resume it with: keyturn resume ${name}\n`
              : `${name}: paused already, since ${pausedAt?.toISOString()} by ${pausedBy}\n`,
          );
        }
      }),
    );
}

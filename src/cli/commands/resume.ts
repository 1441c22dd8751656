import type { Command } from 'commander';
import { nextDue, owedSlot } from '../../rotation/due-rotation.ts';
import type { Io } from '../io.ts';
import { addReasonOption, type ReasonOption, requester } from '../requester.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerResume(subcommand: Command, io: Io): void {
  addReasonOption(subcommand)
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .action((names: string[], options: ConfigOption & ReasonOption) =>
      withApp(io, options, async (app) => {
        const ledger = await app.ledger();
        for (const policy of names.map((name) => app.policy(name))) {
          const wasPaused = await ledger.resume(policy.name, requester(options));
          const timing = await ledger.timing(policy.name);
          const now = app.clock.now();
          const next = nextDue(policy, timing, now);
          const owed = owedSlot(policy, timing, now);
          const when =
            owed !== undefined
              ? `the slot ${new Date(owed).toISOString()} passed meanwhile, a worker rotates within a minute`
              : next === undefined
                ? 'it rotates only when asked'
                : `next rotation ${new Date(next).toISOString()}`;
          io.stdout.write(`${policy.name}: ${wasPaused ? 'resumed' : 'was not paused'}; ${when}\n`);
        }
      }),
    );
}

import type { Command } from 'commander';
import { rollBack } from '../../rotation/roll-back.ts';
import type { Io } from '../io.ts';
import { openRotation, tellNoWorker } from '../request-rotation.ts';
import { addReasonOption, type ReasonOption, requester } from '../requester.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerRollback(subcommand: Command, io: Io): void {
  addReasonOption(subcommand)
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .action((name: string, options: ConfigOption & ReasonOption) =>
      withApp(io, options, async (app) => {
        const [ledger, queue] = await Promise.all([app.ledger(), app.queue()]);
        const rotation = await openRotation(app, name);
        await using context = await app.run(rotation);
        const turned = await rollBack(context, requester(options));
        // Otherwise the schedule would rotate again at once, before anybody knows what was wrong.
        await ledger.pause(name, requester(options));
        io.stdout.write(
          `${name}: ${turned.outgoing} will be published again, and ${turned.incoming} revoked; the schedule is paused, resume it with: keyturn resume ${name}\n`,
        );
        await queue.hurry(turned);
        if ((await queue.workers()) === 0) tellNoWorker(io);
      }),
    );
}

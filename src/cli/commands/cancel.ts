import type { Command } from 'commander';
import { cancel } from '../../rotation/cancel.ts';
import type { Io } from '../io.ts';
import { openRotation } from '../request-rotation.ts';
import { addReasonOption, type ReasonOption, requester } from '../requester.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerCancel(subcommand: Command, io: Io): void {
  addReasonOption(subcommand)
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .action((name: string, options: ConfigOption & ReasonOption) =>
      withApp(io, options, async (app) => {
        const rotation = await openRotation(app, name);
        await using context = await app.run(rotation);
        await cancel(context, requester(options));
        io.stdout.write(`${name}: rotation ${rotation.id} is cancelled; what is published stays as it is\n`);
      }),
    );
}

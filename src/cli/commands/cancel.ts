import type { Command } from 'commander';
import { cancel } from '../../rotation/cancel.ts';
import type { Io } from '../io.ts';
import { openRotation, requester } from '../request-rotation.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerCancel(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .action((name: string, options: ConfigOption) =>
      withApp(io, options, async (app) => {
        const rotation = await openRotation(app, name);
        await using context = await app.run(rotation);
        await cancel(context, requester(io));
        io.stdout.write(`${name}: rotation ${rotation.id} is cancelled; what is published stays as it is\n`);
      }),
    );
}

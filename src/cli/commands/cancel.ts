import type { Command } from 'commander';
import { cancel } from '../../rotation/cancel.ts';
import type { Io } from '../io.ts';
import { openRotation, requester } from '../request-rotation.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerCancel(program: Command, io: Io): void {
  program
    .command('cancel <policy>')
    .description('end a rotation that is not published yet, and discard what it staged')
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

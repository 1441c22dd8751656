import type { Command } from 'commander';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { credentialIn } from '../../formats/told-by.ts';
import { loginUrl } from '../../rotation/context/login-fields.ts';
import type { Io } from '../io.ts';
import { type ConfigOption, withApp } from '../with-app.ts';

export function registerUrl(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .action((name: string, options: ConfigOption) =>
      withApp(io, options, async (app) => {
        const policy = app.policy(name);
        const [primary] = app.destinations(policy);
        const credential = credentialIn((await primary.store.read(primary.secrets, 'current'))?.fields ?? {});
        if (credential === undefined) {
          throw fault('nothing-published', { policy: name }, { remedies: [command('rotate', name)] });
        }
        io.stdout.write(`${loginUrl(await app.connection(policy), credential)}\n`);
      }),
    );
}

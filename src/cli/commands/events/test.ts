import type { Command } from 'commander';
import { sinkNamed } from '../../../config/sink-named.ts';
import { send } from '../../../events/send.ts';
import { testEvent } from '../../../events/told-event.ts';
import { Fault } from '../../../facts/fault.ts';
import type { Io } from '../../io.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';

interface Options extends ConfigOption {
  readonly json?: true;
}

export function registerTest(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--json', 'print JSON')
    .action((name: string, _, command: Command) => {
      // `keyturn events` has options of the same names, and takes what is given.
      const options = command.optsWithGlobals<Options>();
      return withApp(io, options, async ({ config, clock }) => {
        const sink = sinkNamed(config.sinks, name);
        const event = testEvent(name, clock.now());
        const attempt = await send(sink, event, new AbortController().signal);
        if (!attempt.isDelivered) throw new Fault(attempt.fact);
        if (options.json) io.stdout.json({ sink: name, event: event.id, type: event.type });
        else io.stdout.write(`${name}: took the test event ${event.id}`);
      });
    });
}

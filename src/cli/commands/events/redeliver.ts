import type { Command } from 'commander';
import type { App } from '../../../app.ts';
import type { Sink } from '../../../config/sink.ts';
import { sinkNamed } from '../../../config/sink-named.ts';
import { fact } from '../../../facts/fact.ts';
import { fault } from '../../../facts/fault.ts';
import { isRotationId } from '../../../ledger/read-rotations.ts';
import { tell } from '../../../messages/tell.ts';
import type { Io } from '../../io.ts';
import { type ConfigOption, withApp } from '../../with-app.ts';

interface Options extends ConfigOption {
  readonly dead?: true;
  readonly sink?: string;
}

export function registerRedeliver(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--dead', 'all that a sink never took')
    .option('--sink <name>', 'to this sink only')
    .action((ids: string[], _, command: Command) => {
      // `keyturn events` has options of the same names, and takes what is given.
      const options = command.optsWithGlobals<Options>();
      return withApp(io, options, (app) => redeliver(io, app, ids, options));
    });
}

async function redeliver(io: Io, app: App, ids: readonly string[], { dead, sink }: Options): Promise<void> {
  if (ids.length === 0 && !dead) throw fault('no-event-named', {});
  if (ids.length > 0 && dead) throw fault('events-and-dead', {});
  const invalid = ids.find((id) => !isRotationId(id));
  if (invalid !== undefined) throw fault('event-id-invalid', { given: invalid });
  const sinks = chosen(app, sink);
  const { outbox } = await app.ledger();
  const names = sinks.map(({ name }) => name);
  const count = await outbox.redeliver(dead ? { dead } : { ids }, names);
  io.stdout.write(`${count} to be delivered again`);
  if (count === 0) return;
  const queue = await app.queue();
  for (const [name] of await outbox.due(names)) await queue.deliver(name);
  if ((await app.workers()) === 0) io.stderr.write(tell(fact('no-worker', {})));
}

function chosen({ config: { sinks } }: App, name: string | undefined): readonly Sink[] {
  if (name !== undefined) return [sinkNamed(sinks, name)];
  if (sinks.size === 0) throw fault('no-sink', {});
  return [...sinks.values()];
}

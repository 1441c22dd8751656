import type { Command } from 'commander';
import type { App } from '../../app.ts';
import type { Io } from '../io.ts';
import { addLazyCommands, type LazyCommand } from '../lazy-commands.ts';
import { count, instantOf, type Since, since } from '../options/parse-option.ts';
import { type ConfigOption, withApp } from '../with-app.ts';
import { eventJson, writeEvents } from './events/write-events.ts';

interface Options extends ConfigOption {
  readonly limit?: number;
  readonly since?: Since;
  readonly dead?: true;
  readonly json?: true;
}

/** Events that are listed unless `--limit` says otherwise. */
const LIMIT = 20;

const COMMANDS: readonly LazyCommand[] = [
  {
    usage: 'redeliver [id...]',
    description: 'send events to sinks again: these, or with --dead all dead letters',
    load: async () => (await import('./events/redeliver.ts')).registerRedeliver,
  },
  {
    usage: 'test <sink>',
    description: 'send a test event to a sink, from here and without a worker',
    load: async () => (await import('./events/test.ts')).registerTest,
  },
];

export function registerEvents(events: Command, io: Io): void {
  addLazyCommands(events, io, COMMANDS);
  events
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--limit <n>', `how many to list, the newest (default: ${LIMIT})`, count('--limit'))
    .option('--since <when>', 'only what happened since then: 30d, or 2027-03-28', since('--since'))
    .option('--dead', 'only those that a sink never took')
    .option('--json', 'print JSON')
    .action((name: string | undefined, options: Options) =>
      withApp(io, options, (app) => list(io, app, name, options)),
    );
}

async function list(io: Io, app: App, name: string | undefined, options: Options): Promise<void> {
  const { outbox } = await app.ledger();
  const events = await outbox.latest({
    // By name, because a policy that was removed still has its events.
    ...(name === undefined ? {} : { policy: name }),
    ...(options.since ? { since: instantOf(options.since, app.clock.now()) } : {}),
    isDead: options.dead ?? false,
    limit: options.limit ?? LIMIT,
  });
  // It throws, and suggests the nearest name.
  if (name !== undefined && events.length === 0) app.policy(name);
  if (options.json) return io.stdout.json(events.map(eventJson));
  writeEvents(io, events);
}

import type { Command } from 'commander';
import type { App } from '../../app.ts';
import { reportRotation } from '../../rotation/report.ts';
import type { Io } from '../io.ts';
import { count, instantOf, type Since, since } from '../options/parse-option.ts';
import { reportJson } from '../output/fact-json.ts';
import { type ConfigOption, withApp } from '../with-app.ts';
import { actionLine, rotationLine } from './history/history-json.ts';
import { type HistoryQuery, readHistory } from './history/read-history.ts';
import { writeHistory } from './history/write-history.ts';

interface Options extends ConfigOption {
  readonly limit?: number;
  readonly since?: Since;
  readonly json?: true;
}

/** Rows of the table, and rotations in the JSON, unless `--limit` says otherwise. */
const LIMIT = 20;

export function registerHistory(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--limit <n>', `how many to list, the newest (default: ${LIMIT})`, count('--limit'))
    .option(
      '--since <when>',
      'only what was asked for since then: 30d, or 2027-03-28; with --json all of it, oldest first, a line each',
      since('--since'),
    )
    .option('--json', 'print JSON')
    .action((name: string | undefined, options: Options) =>
      withApp(io, options, (app) => run(io, app, name, options)),
    );
}

async function run(io: Io, app: App, name: string | undefined, options: Options): Promise<void> {
  const ledger = await app.ledger();
  if (name !== undefined) await refuseUnknown(app, name);
  const query: HistoryQuery = {
    // By name, because a policy that was removed still has its history.
    ...(name === undefined ? {} : { policy: name }),
    ...(options.since ? { since: instantOf(options.since, app.clock.now()) } : {}),
  };
  if (options.since && options.json) return exportHistory(io, app, query, options.limit);
  const limit = options.limit ?? LIMIT;
  const rotations = await ledger.latest({ ...query, limit });
  const events = await ledger.events(rotations.map(({ id }) => id));
  const reports = rotations.map((rotation) => reportRotation(rotation, events));
  if (options.json) return io.stdout.json(reports.map(reportJson));
  writeHistory(io, reports, await ledger.actions.latest({ ...query, limit }), limit);
}

/** One that is neither configured nor in the ledger is a slip of the pen. */
async function refuseUnknown(app: App, policy: string): Promise<void> {
  if (app.config.policies.has(policy)) return;
  const ledger = await app.ledger();
  const [rotation] = await ledger.latest({ policy, limit: 1 });
  const [action] = rotation ? [] : await ledger.actions.latest({ policy, limit: 1 });
  // It throws, and suggests the nearest name.
  if (!rotation && !action) app.policy(policy);
}

async function exportHistory(
  io: Io,
  app: App,
  query: HistoryQuery,
  limit = Number.POSITIVE_INFINITY,
): Promise<void> {
  let left = limit;
  for await (const past of readHistory(await app.ledger(), query)) {
    if (left === 0) return;
    left -= 1;
    await io.stdout.jsonLine('action' in past ? actionLine(past.action) : rotationLine(past));
  }
}

import type { Command } from 'commander';
import { fault } from '../../facts/fault.ts';
import type { Io } from '../io.ts';
import { duration } from '../options/parse-option.ts';
import { type ConfigOption, withApp } from '../with-app.ts';
import { parseVariable, type Variable } from './exec/child-environment.ts';
import { onRotate } from './exec/on-rotate.ts';
import { openPublished } from './exec/published.ts';
import { type RunOptions, runProgramOn } from './exec/run-program-on.ts';

interface Options extends ConfigOption, RunOptions {
  readonly store?: string;
  readonly secrets?: readonly string[];
}

const DEFAULTS = {
  onRotate: { kind: 'restart' },
  every: 30_000,
  settle: 2_000,
  splay: 0,
  stopTimeout: 30_000,
} as const;

export function registerExec(subcommand: Command, io: Io): void {
  subcommand
    .usage('[options] [policy] -- <command...>')
    .option('--config <path>', 'the configuration: a file or a folder', 'config/')
    .option('--store <name>', 'the store to read; by default the first that the policy publishes to')
    .option('--secrets <fields>', 'without a policy: username=NAME,password=NAME[#KEY],…', collect)
    .option(
      '--env <variable>',
      'NAME={template} with {username} {password} {host} {port} {database} {sslmode} {url}, or NAME to pass it on',
      (given, before: readonly Variable[] = []) => [...before, parseVariable(given)],
    )
    .option('--on-rotate <action>', 'restart, signal:NAME or none (default: restart)', onRotate)
    .option('--every <duration>', 'how often to read the store (default: 30s)', duration('--every'))
    .option('--settle <duration>', 'wait for further changes (default: 2s)', duration('--settle'))
    .option('--splay <duration>', 'wait a random part of this, too (default: 0s)', duration('--splay'))
    .option('--stop-timeout <duration>', 'from SIGTERM to SIGKILL (default: 30s)', duration('--stop-timeout'))
    .action(async (_policy, _command, given: Partial<Options> & ConfigOption) => {
      const { operands, command } = split(subcommand);
      const options: Options = { ...DEFAULTS, ...given };
      await withApp(io, options, async (app) => {
        const source = { policy: operands[0], store: options.store, secrets: options.secrets };
        await using published = await openPublished(app, io.cwd, source);
        io.exit(await runProgramOn(published, command, io, options));
      });
    });
}

/** What is before `--`, and after it. Commander tells no difference. */
function split(subcommand: Command): { operands: readonly string[]; command: readonly string[] } {
  // Commander has it, and leaves it out of its types.
  const { rawArgs = [] } = (subcommand.parent ?? {}) as { readonly rawArgs?: readonly string[] };
  const end = rawArgs.indexOf('--');
  const command = end === -1 ? [] : rawArgs.slice(end + 1);
  if (command.length === 0) throw fault('exec-command-missing', {});
  const operands = subcommand.args.slice(0, subcommand.args.length - command.length);
  if (operands.length > 1) throw fault('exec-source-unclear', {});
  return { operands, command };
}

function collect(given: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...given.split(',')];
}

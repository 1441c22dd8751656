import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadLocated } from '../../config/load-config.ts';
import { counted } from '../../counted.ts';
import type { Problem } from '../../facts/problem.ts';
import { moduleFaults } from '../../secret-store/module/load-module.ts';
import type { Io } from '../io.ts';

/** Adds `validate`, which only reads the configuration. The exit code is 2 if it is not valid. */
export function registerValidate(subcommand: Command, io: Io): void {
  subcommand
    .option('--config <path>', 'the configuration: a file, or a folder of *.yaml files', 'config/')
    .option('--json', 'print JSON')
    .action((options: { readonly config: string; readonly json?: true }) => validate(options, io));
}

async function validate(
  { config: path, json }: { readonly config: string; readonly json?: true },
  io: Io,
): Promise<void> {
  const result = await tryLoad(path, io);
  if (result instanceof ConfigError) {
    await writeProblems(io, result.problems, json);
    io.exit(2);
    return;
  }
  const warnings = await told(result.warnings);
  if (json) {
    io.stdout.json({ valid: true, problems: [], warnings });
    return;
  }
  for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
  io.stdout.write(`${summarize(result)}: valid\n`);
}

async function told(problems: readonly Problem[]): Promise<string[]> {
  // A configuration in which nothing is worth a word does not wait for the words.
  if (problems.length === 0) return [];
  const { tellProblem } = await import('../../messages/tell.ts');
  return problems.map(tellProblem);
}

/** In JSON each problem has its message, its code and its parameters. */
async function writeProblems(io: Io, problems: readonly Problem[], json: true | undefined): Promise<void> {
  if (!json) {
    for (const problem of await told(problems)) io.stderr.write(`${problem}\n`);
    return;
  }
  const { problemJson } = await import('../output/fact-json.ts');
  io.stdout.json({ valid: false, problems: problems.map(problemJson), warnings: [] });
}

/** Loads the modules of stores, too, but opens nothing else. */
async function tryLoad(path: string, { env, cwd }: Io): Promise<Config | ConfigError> {
  try {
    const { config, problemAt } = loadLocated({ path, env, cwd });
    const faults = await moduleFaults(config);
    if (faults.length === 0) return config;
    return new ConfigError(faults.map(({ path, fact }) => problemAt(path, fact)));
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

function summarize({ policies, connections, stores }: Config): string {
  return [
    counted(policies.size, 'policy', 'policies'),
    counted(connections.size, 'connection'),
    counted(stores.size, 'store'),
  ].join(', ');
}

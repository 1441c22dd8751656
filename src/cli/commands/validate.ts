import type { Command } from 'commander';
import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load-config.ts';
import { counted } from '../../counted.ts';
import type { Problem } from '../../facts/problem.ts';
import { tell, tellProblem } from '../../messages/tell.ts';
import type { Io } from '../io.ts';
import { writeJson } from '../output/table.ts';

/** Adds `validate`, which only reads the configuration. The exit code is 2 if it is not valid. */
export function registerValidate(program: Command, io: Io): void {
  program
    .command('validate')
    .description('check the configuration; connects to nothing')
    .option('--config <path>', 'the configuration: a file, or a folder of *.yaml files', 'config/')
    .option('--json', 'print JSON')
    .action((options: { readonly config: string; readonly json?: true }) => validate(options, io));
}

function validate({ config: path, json }: { readonly config: string; readonly json?: true }, io: Io): void {
  const result = tryLoad(path, io);
  if (json) {
    const found =
      result instanceof ConfigError
        ? { valid: false, problems: result.problems.map(report), warnings: [] }
        : { valid: true, problems: [], warnings: result.warnings.map(tellProblem) };
    writeJson(io, found);
  } else if (result instanceof ConfigError) {
    for (const problem of result.problems) io.stderr.write(`${tellProblem(problem)}\n`);
  } else {
    for (const warning of result.warnings) io.stderr.write(`warning: ${tellProblem(warning)}\n`);
    io.stdout.write(`${summarize(result)}: valid\n`);
  }
  if (result instanceof ConfigError) io.exit(2);
}

/** A problem with its message, its code and its parameters. */
function report({ fact, ...place }: Problem) {
  return { ...place, message: tell(fact), code: fact.code, params: fact.params };
}

function tryLoad(path: string, { env, cwd }: Io): Config | ConfigError {
  try {
    return loadConfig({ path, env, cwd });
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

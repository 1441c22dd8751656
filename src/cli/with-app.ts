import { type App, openApp } from '../app.ts';
import type { Policy } from '../config/policy.ts';
import { fault } from '../facts/fault.ts';
import { LOG_LEVELS } from '../open-log.ts';
import type { Io } from './io.ts';

export interface ConfigOption {
  readonly config: string;
}

/**
 * Opens the application for one command, and closes it when the command ends. Throws
 * `log-level-unknown` if the log has no such level.
 */
export async function withApp<Result>(
  io: Io,
  { config }: ConfigOption,
  body: (app: App) => Promise<Result>,
): Promise<Result> {
  // An empty value counts as unset.
  const level = io.env.KEYTURN_LOG_LEVEL || 'silent';
  if (!LOG_LEVELS.includes(level)) throw fault('log-level-unknown', { given: level, allowed: LOG_LEVELS });
  await using app = await openApp({ configPath: config, env: io.env, cwd: io.cwd });
  return await body(app);
}

/** The policies named on a command line, or all if none is named. */
export function choosePolicies(app: App, names: readonly string[]): Policy[] {
  if (names.length === 0) return [...app.config.policies.values()];
  return [...new Set(names)].map((name) => app.policy(name));
}

/**
 * The policies named on a command line, or with `--all` every policy. Throws a fault where it is
 * neither or both.
 */
export function namedOrAll(app: App, names: readonly string[], all: true | undefined): Policy[] {
  if (names.length === 0 && !all) throw fault('no-policy-named', {});
  if (names.length > 0 && all) throw fault('policies-and-all', {});
  return choosePolicies(app, names);
}

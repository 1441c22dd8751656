import { type App, openApp } from '../app.ts';
import type { Policy } from '../policy/policy.ts';
import type { Io } from './io.ts';

export interface ConfigOption {
  readonly config: string;
}

/** Opens the application for one command, and closes it however the command ends. */
export async function withApp<Result>(
  io: Io,
  { config }: ConfigOption,
  body: (app: App) => Promise<Result>,
): Promise<Result> {
  await using app = await openApp({ configPath: config, env: io.env, cwd: io.cwd });
  return await body(app);
}

/** The policies named on a command line; all of them when none is. */
export function choosePolicies(app: App, names: readonly string[]): Policy[] {
  if (names.length === 0) return [...app.config.policies.values()];
  return [...new Set(names)].map((name) => app.policy(name));
}

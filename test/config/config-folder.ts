import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Problem } from '../../src/facts/problem.ts';
import { tellProblem } from '../../src/messages/tell.ts';

/** A small configuration in which nothing is wrong. */
export const VALID = `connections:
  db: { host: db.internal, database: orders, user: keyturn }
stores:
  files: { type: file, path: secrets }
  aws: { type: aws-secrets-manager, region: eu-central-1 }
policies:
  orders:
    connection: db
    logins: [orders_a, orders_b]
    publish:
      - store: files
        secrets: { username: orders/username, password: orders/password }
`;

/** A folder with these files that is gone after the test. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

export interface LoadOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Files besides the configuration. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Loads one file, which messages call `k.yaml`. */
export function load(yaml: string, { env = {}, files = {} }: LoadOptions = {}): Config {
  const cwd = folderOf({ 'k.yaml': yaml, ...files });
  return loadConfig({ path: 'k.yaml', env, cwd });
}

/** What is wrong with one file, a line for each problem; nothing if it is valid. */
export function problemsOf(yaml: string, options?: LoadOptions): string[] {
  return problems(() => load(yaml, options));
}

/** The warnings of one file, a line for each. */
export function warningsOf(yaml: string, options?: LoadOptions): string[] {
  return load(yaml, options).warnings.map(tellProblem);
}

/** What is wrong with one file, as data. */
export function problemFactsOf(yaml: string, options?: LoadOptions): readonly Problem[] {
  try {
    load(yaml, options);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** What a call that loads a configuration says is wrong. */
export function problems(loading: () => Config): string[] {
  try {
    loading();
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(tellProblem);
    throw error;
  }
}

/** The valid configuration with one passage replaced, which must be there. */
export function changed(...changes: readonly (readonly [passage: string, replacement: string])[]): string {
  return changes.reduce((yaml, [passage, replacement]) => {
    if (!yaml.includes(passage)) throw new Error(`${JSON.stringify(passage)} is not in the configuration`);
    return yaml.replace(passage, () => replacement);
  }, VALID);
}

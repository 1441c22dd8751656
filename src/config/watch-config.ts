import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type Fact, fact } from '../facts/fact.ts';
import type { Config } from './config.ts';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load-config.ts';
import type { ConfigSource } from './yaml/read-tree.ts';

export interface ConfigWatch {
  /** Reloads if a file was touched since. Meant to be called again and again. */
  look(): Promise<void>;
  /** Reads the configuration anew, whatever its files look like. */
  reload(): Promise<void>;
}

interface FactLog {
  info(fact: Fact): void;
  warn(fact: Fact): void;
  error(fact: Fact): void;
}

/**
 * Watches the files of a configuration, and hands over each new valid one. One with problems is
 * refused, and reported at every look until it is valid. The one before stays in force.
 */
export function watchConfig(
  source: ConfigSource,
  loaded: Config,
  { log, onChange }: { readonly log: FactLog; readonly onChange: (config: Config) => Promise<void> },
): ConfigWatch {
  let current = loaded;
  let files = loaded.files;
  let stamp = stampOf(files);
  let broken = false;

  async function reload(): Promise<void> {
    // Taken before reading, so that what is written in between is seen at the next look.
    stamp = stampOf(files);
    const next = tryLoad(source);
    broken = next instanceof ConfigError;
    if (next instanceof ConfigError) {
      return log.error(fact('config-reload-refused', { problems: next.problems }));
    }
    if (!isDeepStrictEqual(next.files, files)) {
      files = next.files;
      stamp = stampOf(files);
    }
    const keys = keptUntilRestart(current, next);
    if (keys.length > 0) log.warn(fact('config-restart-needed', { keys }));
    if (isDeepStrictEqual(next, current)) return;
    current = next;
    await onChange(next);
    log.info(fact('config-reloaded', { policies: next.policies.size }));
  }

  return {
    async look() {
      if (broken || stampOf(files) !== stamp) await reload();
    },
    reload,
  };
}

function tryLoad(source: ConfigSource): Config | ConfigError {
  try {
    return loadConfig(source);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** What changed and takes effect at the next start only. */
function keptUntilRestart(current: Config, next: Config): ('state' | 'queue')[] {
  return [
    ...(isDeepStrictEqual(next.stateDatabase, current.stateDatabase) ? [] : (['state'] as const)),
    ...(isDeepStrictEqual(next.queueRedis, current.queueRedis) ? [] : (['queue'] as const)),
  ];
}

/**
 * A text that changes when one of these files or folders is written, replaced, added or removed, or
 * when a link on the way changes, as in a mounted Kubernetes ConfigMap. No content is read.
 */
function stampOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat ? `${path} ${stat.dev} ${stat.ino} ${stat.size} ${stat.mtimeNs}` : `${path} is not there`;
    })
    .join('\n');
}

import { isDeepStrictEqual } from 'node:util';
import { type Fact, fact } from '../facts/fact.ts';
import type { Config } from './config.ts';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load-config.ts';
import { stampOf } from './values/stamp-of.ts';
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
 * Watches the files that a configuration was read from, and hands over the next valid one. One with problems is
 * refused, and said again at every look until it is mended; the one before it stays.
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
    // Taken before reading: what is written in between is seen at the next look.
    stamp = stampOf(files);
    let next: Config;
    try {
      next = loadConfig(source);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      broken = true;
      return log.error(fact('config-reload-refused', { problems: error.problems }));
    }
    broken = false;
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

/** What changed and takes effect at the next start only. */
function keptUntilRestart(current: Config, next: Config): ('state' | 'queue')[] {
  return [
    ...(isDeepStrictEqual(next.stateDatabase, current.stateDatabase) ? [] : (['state'] as const)),
    ...(next.queueRedis === current.queueRedis ? [] : (['queue'] as const)),
  ];
}

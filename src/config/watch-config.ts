import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.ts';
import { ConfigError, renderProblem } from './config-error.ts';
import { loadConfig } from './load-config.ts';
import { stampOf } from './values/stamp-of.ts';
import type { ConfigSource } from './yaml/read-tree.ts';

export interface ConfigWatch {
  /** Reloads if a file was touched since. Meant to be called again and again. */
  look(): Promise<void>;
  /** Reads the configuration anew, whatever its files look like. */
  reload(): Promise<void>;
}

interface Log {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/**
 * Watches the files that a configuration was read from, and hands over the next valid one. One with problems is
 * refused, and said again at every look until it is mended; the one before it stays.
 */
export function watchConfig(
  source: ConfigSource,
  loaded: Config,
  { log, onChange }: { readonly log: Log; readonly onChange: (config: Config) => Promise<void> },
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
      const problems = error.problems.map(renderProblem).join('; ');
      return log.error(`the configuration has problems, so the one before stays in force: ${problems}`);
    }
    broken = false;
    if (!isDeepStrictEqual(next.files, files)) {
      files = next.files;
      stamp = stampOf(files);
    }
    const stays = isDeepStrictEqual(next.stateDatabase, current.stateDatabase);
    if (!stays || next.queueRedis !== current.queueRedis) {
      log.warn('state and queue are taken over at the next start only');
    }
    if (isDeepStrictEqual(next, current)) return;
    current = next;
    await onChange(next);
    log.info(`the configuration was reloaded: ${next.policies.size} policies`);
  }

  return {
    async look() {
      if (broken || stampOf(files) !== stamp) await reload();
    },
    reload,
  };
}

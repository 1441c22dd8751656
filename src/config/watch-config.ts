import { statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type Fact, fact } from '../facts/fact.ts';
import type { Problem } from '../facts/problem.ts';
import type { Config } from './config.ts';
import { ConfigError } from './config-error.ts';
import { loadConfig } from './load-config.ts';
import type { ConfigSource } from './yaml/read-tree.ts';

export interface ConfigWatch {
  /** Whether a file was touched since the configuration was last read. */
  isTouched(): boolean;
  /** Reloads if a file was touched since. Meant to be called again and again. */
  look(): Promise<void>;
  /** Reads the configuration anew, whatever its files look like. */
  reload(): Promise<void>;
  /**
   * Takes over at once what was edited. Problems that were reported already are not reported again.
   * Returns whether what the files say is in force.
   */
  refresh(): Promise<boolean>;
}

interface FactLog {
  info(fact: Fact): void;
  warn(fact: Fact): void;
  error(fact: Fact): void;
}

interface WatchOptions {
  readonly log: FactLog;
  readonly onChange: (config: Config) => Promise<void>;
}

/**
 * Watches the files of a configuration, and hands over each new valid one. One with problems is
 * refused, and reported at every look until it is valid. The one before stays in force.
 */
export function watchConfig(source: ConfigSource, loaded: Config, options: WatchOptions): ConfigWatch {
  return new FileWatch(source, loaded, options);
}

class FileWatch implements ConfigWatch {
  readonly #source: ConfigSource;
  readonly #log: FactLog;
  readonly #onChange: WatchOptions['onChange'];
  #current: Config;
  #files: readonly string[];
  #stamp: string;
  /** What kept the files from being taken over when they were last read. */
  #problems: readonly Problem[] = [];

  constructor(source: ConfigSource, loaded: Config, { log, onChange }: WatchOptions) {
    this.#source = source;
    this.#log = log;
    this.#onChange = onChange;
    this.#current = loaded;
    this.#files = loaded.files;
    this.#stamp = stampOf(loaded.files);
  }

  async look(): Promise<void> {
    if (this.#isDue()) await this.#take([]);
  }

  reload(): Promise<void> {
    return this.#take([]);
  }

  async refresh(): Promise<boolean> {
    if (this.#isDue()) await this.#take(this.#problems);
    return this.#problems.length === 0;
  }

  isTouched(): boolean {
    return stampOf(this.#files) !== this.#stamp;
  }

  #isDue(): boolean {
    return this.#problems.length > 0 || this.isTouched();
  }

  /** Reads the files. Problems that are `known` are not reported. */
  async #take(known: readonly Problem[]): Promise<void> {
    // Taken before reading, so that what is written in between is seen at the next look.
    this.#stamp = stampOf(this.#files);
    const next = tryLoad(this.#source);
    this.#problems = next instanceof ConfigError ? next.problems : [];
    if (next instanceof ConfigError) {
      const { problems } = next;
      if (!isDeepStrictEqual(problems, known)) this.#log.error(fact('config-reload-refused', { problems }));
      return;
    }
    if (!isDeepStrictEqual(next.files, this.#files)) {
      this.#files = next.files;
      this.#stamp = stampOf(this.#files);
    }
    const keys = keptUntilRestart(this.#current, next);
    if (keys.length > 0) this.#log.warn(fact('config-restart-needed', { keys }));
    if (isDeepStrictEqual(next, this.#current)) return;
    this.#current = next;
    await this.#onChange(next);
    this.#log.info(fact('config-reloaded', { policies: next.policies.size }));
  }
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

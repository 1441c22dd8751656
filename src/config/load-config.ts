import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Fact } from '../facts/fact.ts';
import type { Problem } from '../facts/problem.ts';
import { buildConnections, buildStateDatabase } from './build-connections.ts';
import { buildPolicies } from './build-policies.ts';
import { buildQueueRedis } from './build-queue.ts';
import { buildSinks } from './build-sinks.ts';
import { buildStores } from './build-stores.ts';
import { checkDestinations } from './checks/check-destinations.ts';
import { checkExposure } from './checks/check-exposure.ts';
import { checkFormats } from './checks/check-formats.ts';
import { checkLogins } from './checks/check-logins.ts';
import { checkPlaintext } from './checks/check-plaintext.ts';
import { checkPolicyTypes } from './checks/check-policy-types.ts';
import { checkSchedules } from './checks/check-schedules.ts';
import { checkSecrets } from './checks/check-secrets.ts';
import type { Config } from './config.ts';
import { ConfigError, inOrder, type Path } from './config-error.ts';
import { Review } from './review.ts';
import { parseEntries } from './schema/entries.ts';
import { expandUrls } from './urls/expand-urls.ts';
import { problemAt } from './yaml/located.ts';
import { type ConfigSource, readTree } from './yaml/read-tree.ts';

/** A configuration, and where its entries are written. */
export interface LoadedConfig {
  readonly config: Config;
  /** A fact about an entry that only the world could tell, with the place of the entry. */
  readonly problemAt: (path: Path, fact: Fact) => Problem;
}

/** Reads and validates a configuration. Throws a ConfigError with every problem at once. */
export function loadConfig(source: ConfigSource): Config {
  return loadLocated(source).config;
}

/** The same, for who has to say later where an entry is written. */
export function loadLocated(source: ConfigSource): LoadedConfig {
  const found: Problem[] = [];
  const report = (problem: Problem) => found.push(problem);
  const { tree: written, read, files } = readTree(source, report);
  // Otherwise what an unreadable file contains would be reported as missing.
  if (found.some(({ path }) => path === '')) throw new ConfigError(found);

  const tree = expandUrls(written, report);
  const review = new Review(tree, found);
  const entries = parseEntries(review);
  const stateDatabase = buildStateDatabase(review, entries.state, read);
  const queueRedis = buildQueueRedis(review, entries.queue, read);
  const sinks = buildSinks(review, entries, read);
  const connections = buildConnections(review, entries.connections, read);
  const stores = buildStores(review, entries, { cwd: source.cwd, folder: folderOf(source) }, read);
  checkPolicyTypes(review, entries);
  checkLogins(review, entries);
  checkSchedules(review, entries);
  checkFormats(review, entries, connections);
  checkSecrets(review, checkDestinations(review, entries, stores));
  checkPlaintext(review, entries, source.env);
  checkExposure(review, entries, written, source.cwd);

  if (review.problems.length > 0) throw new ConfigError(review.problems);
  const config: Config = {
    ...(stateDatabase ? { stateDatabase } : {}),
    ...(queueRedis === undefined ? {} : { queueRedis }),
    history: { keep: entries.history.keep ?? null },
    sinks,
    connections,
    stores,
    policies: buildPolicies(entries),
    files: [...files],
    warnings: inOrder(review.warnings),
  };
  return { config: freeze(config), problemAt: placing(source) };
}

/**
 * Reads the places again when they are asked for, which is seldom: those of a fleet take more
 * memory than all the rest of it.
 */
function placing(source: ConfigSource): LoadedConfig['problemAt'] {
  return (path, fact) => {
    const { tree } = readTree(source, () => {});
    return problemAt(
      expandUrls(tree, () => {}),
      path,
      fact,
    );
  };
}

/** The folder that the configuration is, or that it is in. */
function folderOf({ path, cwd }: ConfigSource): string {
  const whole = resolve(cwd, path);
  return statSync(whole, { throwIfNoEntry: false })?.isDirectory() ? whole : dirname(whole);
}

/** Policies of a fleet share most values, which are frozen once. */
function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const part of value instanceof Map ? value.values() : Object.values(value)) freeze(part);
  return Object.freeze(value);
}

import { resolve } from 'node:path';
import type { Config, Connection, EmbeddedConnection, Store, Tls } from './config.ts';
import { renderPath } from './config-error.ts';
import type { ConfigEntry, ConnectionEntry, StoreEntry } from './config-schema.ts';
import type { Destination, Policy } from './policy.ts';
import type { PolicyEntry } from './policy-schema.ts';
import { scheduleOf } from './schedule-of.ts';
import { tlsMode } from './tls-mode.ts';

/** What is not in the entries themselves. */
export interface Surplus {
  readonly cwd: string;
  /** By the path of what it belongs to: each connection with a host, and each PgBouncer. */
  readonly tls: ReadonlyMap<string, Tls>;
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

/** Builds the frozen configuration from entries in which no check found a problem. */
export function buildConfig(entry: ConfigEntry, { cwd, tls, files, warnings }: Surplus): Config {
  const { database } = entry.state;
  const { redis } = entry.queue;
  return freeze({
    // A variable that is set to nothing says: leave it out.
    ...(database ? { stateDatabase: database } : {}),
    ...(redis ? { queueRedis: redis } : {}),
    connections: mapEntries(entry.connections, (name, connection) => buildConnection(name, connection, tls)),
    stores: mapEntries(entry.stores, (name, store) => buildStore(name, store, cwd)),
    policies: mapEntries(entry.policies, buildPolicy),
    files,
    warnings,
  });
}

function buildConnection(
  name: string,
  { host, user, database, pgbouncer, replicas, ...entry }: ConnectionEntry,
  tls: Surplus['tls'],
): Connection | EmbeddedConnection {
  const path = ['connections', name];
  const own = tls.get(renderPath(path));
  if (host === undefined || user === undefined || own === undefined) {
    return { name, embedded: true, database };
  }
  return {
    name,
    host,
    user,
    database,
    ...entry,
    tls: own,
    ...(replicas === undefined
      ? {}
      : {
          replicas: replicas.map((replica) => ({
            port: entry.port,
            ...replica,
            tls: { ...own, mode: tlsMode(entry.tls, replica.host) },
          })),
        }),
    ...(pgbouncer === undefined
      ? {}
      : {
          pgbouncer: pgbouncer.flatMap((one, index) => {
            const its = tls.get(renderPath([...path, 'pgbouncer', index]));
            return its === undefined ? [] : [{ ...one, tls: its }];
          }),
        }),
  };
}

function buildStore(name: string, store: StoreEntry, cwd: string): Store {
  return store.type === 'file' ? { name, ...store, path: resolve(cwd, store.path) } : { name, ...store };
}

function buildPolicy(name: string, { schedule: scheduleEntry, publish, ...entry }: PolicyEntry): Policy {
  const schedule = scheduleEntry === undefined ? undefined : scheduleOf(scheduleEntry);
  return {
    name,
    ...entry,
    ...(schedule === undefined ? {} : { schedule }),
    publish: publish as [Destination, ...Destination[]],
  };
}

function mapEntries<Entry, Built>(
  entries: Readonly<Record<string, Entry>>,
  build: (name: string, entry: Entry) => Built,
): ReadonlyMap<string, Built> {
  return new Map(Object.entries(entries).map(([name, entry]) => [name, build(name, entry)]));
}

function freeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of value instanceof Map ? value.values() : Object.values(value)) freeze(part);
  return Object.freeze(value);
}

import { resolve } from 'node:path';
import type { Config, Connection, Database, EmbeddedConnection, Store, Tls } from './config.ts';
import { renderPath } from './config-error.ts';
import type { Destination, Policy } from './policy.ts';
import type { ConfigEntry, ConnectionEntry, StoreEntry } from './schema/config-schema.ts';
import type { PolicyEntry } from './schema/policy-schema.ts';
import { tlsMode } from './tls/tls-mode.ts';
import { scheduleOf } from './values/schedule-of.ts';

/** What is not in the entries themselves. */
export interface Surplus {
  readonly cwd: string;
  /** What the URL of the state database stands for; nothing where it is left out. */
  readonly state: Partial<ConnectionEntry>;
  /** By the path of what it belongs to: each connection with a host, each PgBouncer, and the state database. */
  readonly tls: ReadonlyMap<string, Tls>;
  readonly files: readonly string[];
  readonly warnings: readonly string[];
  readonly exposed: readonly string[];
}

/** Builds the frozen configuration from entries in which no check found a problem. */
export function buildConfig(
  entry: ConfigEntry,
  { cwd, state, tls, files, warnings, exposed }: Surplus,
): Config {
  const stateDatabase = buildDatabase(state, tls.get('state.database'));
  const { redis } = entry.queue;
  return freeze({
    ...(stateDatabase ? { stateDatabase } : {}),
    // A variable that is set to nothing says: leave it out.
    ...(redis ? { queueRedis: redis } : {}),
    connections: mapEntries(entry.connections, (name, connection) => buildConnection(name, connection, tls)),
    stores: mapEntries(entry.stores, (name, store) => buildStore(name, store, cwd)),
    policies: mapEntries(entry.policies, (name, policy) =>
      buildPolicy(name, policy, entry.connections[policy.connection]),
    ),
    files,
    warnings,
    exposed,
  });
}

function buildConnection(
  name: string,
  { replicas, pgbouncer, maxSessions, ...entry }: ConnectionEntry,
  tls: Surplus['tls'],
): Connection | EmbeddedConnection {
  const path = ['connections', name];
  const database = buildDatabase(entry, tls.get(renderPath(path)));
  if (database === undefined) return { name, embedded: true, database: entry.database ?? '' };
  // The name is that of one server.
  const { servername: _, ...shared } = database.tls;
  return {
    name,
    ...database,
    maxSessions,
    ...(replicas === undefined
      ? {}
      : {
          replicas: replicas.map(({ host, port = database.port, servername }) => ({
            host,
            port,
            tls: {
              ...shared,
              mode: tlsMode(entry.tls, host),
              ...(servername === undefined ? {} : { servername }),
            },
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

/** Undefined where there is no host: that is the embedded PostgreSQL. */
function buildDatabase(
  { host, port, database, user, password }: Partial<ConnectionEntry>,
  tls: Tls | undefined,
): Database | undefined {
  if (host === undefined || port === undefined || database === undefined) return undefined;
  if (user === undefined || tls === undefined) return undefined;
  return { host, port, database, user, ...(password === undefined ? {} : { password }), tls };
}

function buildStore(name: string, store: StoreEntry, cwd: string): Store {
  return store.type === 'file' ? { name, ...store, path: resolve(cwd, store.path) } : { name, ...store };
}

function buildPolicy(
  name: string,
  { type, logins, owner, drain, schedule: scheduleEntry, publish, ...entry }: PolicyEntry,
  connection: ConnectionEntry | undefined,
): Policy {
  const schedule = scheduleEntry === undefined ? undefined : scheduleOf(scheduleEntry);
  const shared = {
    name,
    ...entry,
    ...(schedule === undefined ? {} : { schedule }),
    publish: publish as [Destination, ...Destination[]],
  };
  if (type === 'rotator' && connection?.user !== undefined) {
    return { ...shared, type, logins: [connection.user] };
  }
  if (logins === undefined) throw new Error(`Policy ${name} has no login, which no check found`);
  return { ...shared, type: 'logins', logins, ...(owner === undefined ? {} : { owner }), drain };
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

import { fact } from '../facts/fact.ts';
import { checkReplicas } from './checks/check-replicas.ts';
import type { Connection, Database, EmbeddedConnection, PgBouncer, Replica, Tls } from './config.ts';
import type { Path } from './config-error.ts';
import type { Review } from './review.ts';
import { type ConnectionEntry, connectionSchema } from './schema/connection-schema.ts';
import { readTls } from './tls/read-tls.ts';
import { tlsMode } from './tls/tls-mode.ts';
import type { ReadText } from './yaml/read-text.ts';

type Entry = Partial<ConnectionEntry>;

/**
 * Makes each connection from its entry, with its TLS material, and reports what does not fit in it.
 * One that lacks something is left out, and was reported.
 */
export function buildConnections(
  review: Review,
  entries: ReadonlyMap<string, Entry>,
  readText: ReadText,
): ReadonlyMap<string, Connection | EmbeddedConnection> {
  const built = [...entries].flatMap(([name, entry]) => {
    const connection = buildConnection(review, name, entry, readText);
    return connection === undefined ? [] : [[name, connection] as const];
  });
  return new Map(built);
}

/** Undefined where the state database is left out, or what its URL stands for lacks something. */
export function buildStateDatabase(review: Review, entry: Entry, readText: ReadText): Database | undefined {
  return buildDatabase(entry, tlsOf(review, ['state', 'database'], entry, readText));
}

function buildConnection(
  review: Review,
  name: string,
  entry: Entry,
  readText: ReadText,
): Connection | EmbeddedConnection | undefined {
  const path: Path = ['connections', name];
  const keys = review.keysAt(path);
  if (keys === undefined) return undefined;
  if (!keys.includes('database')) {
    review.report([...path, 'database'], fact('config-entry-missing', { rule: 'database-name' }));
  }
  if (!keys.includes('host')) return buildEmbedded(review, name, entry, keys);
  if (!keys.includes('user')) {
    review.report([...path, 'user'], fact('config-entry-missing', { rule: 'rotator' }));
  }
  checkReplicas(review, path, entry);
  const database = buildDatabase(entry, tlsOf(review, path, entry, readText));
  const pgbouncer = entry.pgbouncer?.map(
    (one, index): PgBouncer => ({
      ...one,
      tls: readTls(review, [...path, 'pgbouncer', index], one, readText),
    }),
  );
  if (database === undefined || entry.maxSessions === undefined) return undefined;
  return {
    name,
    ...database,
    maxSessions: entry.maxSessions,
    ...(entry.replicas === undefined ? {} : { replicas: buildReplicas(entry, database) }),
    ...(pgbouncer === undefined ? {} : { pgbouncer }),
  };
}

function buildEmbedded(
  review: Review,
  name: string,
  { database }: Entry,
  keys: readonly string[],
): EmbeddedConnection | undefined {
  const known = Object.keys(connectionSchema.shape);
  const others = keys.filter((key) => key !== 'database' && known.includes(key));
  if (others.length > 0) {
    review.report(['connections', name, 'host'], fact('connection-host-missing', { keys: others }));
  }
  return database === undefined ? undefined : { name, embedded: true, database };
}

function tlsOf(review: Review, path: Path, { host, tls }: Entry, readText: ReadText): Tls | undefined {
  if (host === undefined || tls === undefined) return undefined;
  return readTls(review, path, { host, tls }, readText);
}

function buildDatabase(
  { host, port, database, user, password }: Entry,
  tls: Tls | undefined,
): Database | undefined {
  if (host === undefined || port === undefined || database === undefined) return undefined;
  if (user === undefined || tls === undefined) return undefined;
  return { host, port, database, user, ...(password === undefined ? {} : { password }), tls };
}

/** Reached as their primary is, unless they say otherwise. */
function buildReplicas({ tls = {}, replicas = [] }: Entry, { port, tls: primary }: Database): Replica[] {
  // The name is that of one server.
  const { servername: _, ...shared } = primary;
  return replicas.map((replica) => ({
    host: replica.host,
    port: replica.port ?? port,
    tls: {
      ...shared,
      mode: tlsMode(tls, replica.host),
      ...(replica.servername === undefined ? {} : { servername: replica.servername }),
    },
  }));
}

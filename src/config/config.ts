import type { Problem } from '../facts/problem.ts';
import type { Policy } from './policy.ts';
import type { Sink } from './sink.ts';
import type { Store } from './stores.ts';

/** `disable` and `require` do not authenticate the server; the others do, as in libpq. */
export interface Tls {
  readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name in the handshake, and the one that the certificate must have. Left out: the host. */
  readonly servername?: string;
  /** Whether the name is sent to the server at all; left out: it is. */
  readonly sni?: false;
}

/** How to log in to one database. */
export interface Database {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** Left out: the server asks for none, or for a client certificate. */
  readonly password?: string;
  readonly tls: Tls;
}

/** A standby server of a connection's server. It has the same roles, once it has replayed them. */
export interface Replica {
  readonly host: string;
  readonly port: number;
  readonly tls: Tls;
}

/** The admin console of one PgBouncer through which consumers reach the server of a connection. */
export interface PgBouncer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly tls: Tls;
}

/**
 * Calls `attempt` with each password that the rotator may have on a server now, a replica included,
 * until one is not refused, and returns its result. Throws what `attempt` throws for other reasons.
 */
export type WithPassword = <Result>(
  server: Database,
  attempt: (password: string) => Promise<Result>,
) => Promise<Result>;

/** How keyturn reaches one database as the rotator. */
export interface Connection extends Database {
  readonly name: string;
  /** In place of `password` where that is a policy's, and so another from one day to the next. */
  readonly withPassword?: WithPassword;
  /** How many sessions of its server a process may have at once for rotations; left out: a few. */
  readonly maxSessions?: number;
  /** Where consumers log in besides; left out: nowhere. */
  readonly replicas?: readonly Replica[];
  /** Left out: consumers connect directly. */
  readonly pgbouncer?: readonly PgBouncer[];
}

/** A database of the embedded PostgreSQL. It and its logins are made if they are missing. */
export interface EmbeddedConnection {
  readonly name: string;
  readonly embedded: true;
  readonly database: string;
}

/** One sentinel, or one node of a cluster. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** What the nodes of a Redis that has several have in common. */
export interface RedisAccess {
  readonly username?: string;
  readonly password?: string;
  readonly tls: Tls;
  /** Whether the configuration says that passwords may go beyond loopback in plaintext. */
  readonly plaintext: boolean;
}

/** A Redis whose sentinels know which server is the primary. */
export interface RedisSentinels extends RedisAccess {
  readonly sentinels: readonly RedisNode[];
  /** What the sentinels call it. */
  readonly name: string;
  readonly database: number;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
}

/** A Redis Cluster, by some of its nodes. They know the others. */
export interface RedisCluster extends RedisAccess {
  readonly cluster: readonly RedisNode[];
}

/** One Redis by its URL, or several. */
export type QueueRedis = string | RedisSentinels | RedisCluster;

/** A whole configuration, validated and frozen. */
export interface Config {
  /** Left out: the embedded PostgreSQL. */
  readonly stateDatabase?: Database;
  /** The Redis of the queue. Left out: the queue is in the state database. */
  readonly queueRedis?: QueueRedis;
  /** `keep`: how long the ledger keeps what is over, in milliseconds; null: for ever. */
  readonly history: { readonly keep: number | null };
  /** Where events are delivered, by name. */
  readonly sinks: ReadonlyMap<string, Sink>;
  readonly connections: ReadonlyMap<string, Connection | EmbeddedConnection>;
  readonly stores: ReadonlyMap<string, Store>;
  readonly policies: ReadonlyMap<string, Policy>;
  /** Everything that was read for it, by absolute path: files, and the folder where it is one. */
  readonly files: readonly string[];
  /** Things worth a thought that are no errors, in the order of their places. */
  readonly warnings: readonly Problem[];
}

/** The warnings that are of files with secrets that every user of the machine may read. */
export function exposedFiles({ warnings }: Pick<Config, 'warnings'>): readonly Problem[] {
  return warnings.filter(({ fact }) => fact.code === 'secret-file-exposed');
}

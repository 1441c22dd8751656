import type { Problem } from '../facts/problem.ts';
import type { Policy } from './policy.ts';

/** `disable` and `require` do not authenticate the server; the others do, as in libpq. PEM texts, not paths. */
export interface Tls {
  readonly mode: 'disable' | 'require' | 'verify-ca' | 'verify-full';
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** What to call the server in the handshake, and to check its certificate for. Left out: its host. */
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

/** A standby server of a connection's server: reached as that one is, and with the same roles, once it has replayed them. */
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
 * Calls `attempt` with one password after the other that may be the rotator's on a server at this instant, be that a replica,
 * until one is not refused, and returns what that came to. Throws what `attempt` throws for any other reason.
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

/** A connection without `host`: a database of the embedded PostgreSQL, made together with its logins if missing. */
export interface EmbeddedConnection {
  readonly name: string;
  readonly embedded: true;
  readonly database: string;
}

export type Store =
  | { readonly name: string; readonly type: 'file'; readonly path: string }
  | {
      readonly name: string;
      readonly type: 'aws-secrets-manager';
      readonly region?: string;
      readonly endpoint?: string;
      /** Says that secrets may go over the network in plaintext. */
      readonly tls?: { readonly mode: 'disable' };
    };

/** A whole configuration, validated and frozen. */
export interface Config {
  /** Left out: the embedded PostgreSQL. */
  readonly stateDatabase?: Database;
  /** `redis://` or `rediss://` URL of the queue; left out: BullMQ's PostgreSQL backend in the state database. */
  readonly queueRedis?: string;
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

/** The standby server of a connection that a fact is about. */
export interface ReplicaInfo {
  /** `db-2.internal:5432` */
  readonly name: string;
  /** The connection that lists it among its replicas. */
  readonly connection: string;
}

/** The server that a fact is about. */
export interface AtServer {
  /** `orders_api_a@db.internal:5432/orders` */
  readonly place: string;
  /** Left out: it is no replica. */
  readonly replica?: ReplicaInfo;
  /** It is the state database, which no policy rotates. */
  readonly isState?: true;
}

/** The same, with what the server, pg or Node.js said. */
export interface SaidAtServer extends AtServer {
  readonly detail: string;
}

/** How a server may ask for a password other than by SCRAM-SHA-256. */
export type AuthenticationMethod = 'cleartext' | 'md5' | 'gssapi' | 'sasl' | 'unknown';

/** About the way to a server, and how it lets keyturn in. */
export interface ServerFacts {
  readonly 'server-unreachable': SaidAtServer;
  /**
   * It was asked for TLS, and answered with an error. What it said is not shown: anyone could say
   * it.
   */
  readonly 'server-answers-with-error': AtServer;
  /**
   * `password`: it is wrong. `nologin`: the login is shut out, or does not exist. `entry`:
   * pg_hba.conf has no line that lets it in from here. `rotator`: it is keyturn's own user.
   */
  readonly 'login-refused': SaidAtServer & {
    readonly because: 'password' | 'nologin' | 'entry';
    readonly rotator?: { readonly user: string; readonly connection: string };
  };
  /** The server asks for a password, and none is configured. */
  readonly 'password-missing': AtServer;
  readonly 'server-uses-no-scram': AtServer & { readonly asked: AuthenticationMethod };
  /** pg found the exchange wrong. */
  readonly 'scram-not-proven': SaidAtServer;
  /** A message of the exchange came when it must not. `message` is pg's name for it. */
  readonly 'scram-out-of-turn': AtServer & { readonly message: string };
  /** It let a login in without a SCRAM exchange. */
  readonly 'server-asks-no-password': AtServer;
  readonly 'connection-is-pooler': SaidAtServer;
  readonly 'startup-options-ignored': AtServer & { readonly searchPath: string };
  readonly 'session-of-another-role': AtServer & {
    readonly login: string;
    readonly acting: string;
    readonly user: string;
  };
  readonly 'pgbouncer-unreachable': SaidAtServer;
  readonly 'pgbouncer-login-refused': SaidAtServer;
  readonly 'pgbouncer-command-refused': SaidAtServer;
  readonly 'database-missing': SaidAtServer;
  /** A role, a setting or another object is not there. */
  readonly 'object-missing': SaidAtServer;
  readonly 'privilege-missing': SaidAtServer;
  /** Every connection that `max_connections` allows is taken. */
  readonly 'connections-exhausted': SaidAtServer;
  /** They were a moment ago, so that the server is not asked again yet. */
  readonly 'connections-exhausted-lately': AtServer;
  /** The login has as many sessions as its CONNECTION LIMIT allows. */
  readonly 'login-connection-limit-reached': SaidAtServer;
  readonly 'database-connection-limit-reached': SaidAtServer;
  /** This process uses all sessions that it may have at a server. */
  readonly 'no-session-free': AtServer & {
    readonly connection: string;
    readonly seconds: number;
    readonly maxSessions: number;
  };
  /** Any other error of PostgreSQL. */
  readonly 'database-error': SaidAtServer;
}

import type { HolderInfo, PreparedInfo } from '../database/session-info.ts';
import type { Fact } from '../fact.ts';

/** A session of a login, as a fact keeps it. */
export interface SeenSession {
  /** Absent where the fact must not change with it. */
  readonly pid?: number;
  readonly application: string;
  readonly address: string | null;
  readonly database: string | null;
  /** Whether that is another database than the connection's. */
  readonly elsewhere: boolean;
  /** Absent: on the primary. */
  readonly replica?: string;
  readonly type: string;
  readonly slots: readonly string[];
  readonly state: string | null;
  /** Milliseconds; null where it has no transaction, or where the fact must not change with it. */
  readonly transactionAge: number | null;
}

/** Clients that are logged in to a PgBouncer as a login, in one of its databases. */
export interface SeenClients {
  /** Host and port. */
  readonly pgbouncer: string;
  readonly database: string;
  readonly login: string;
  readonly clients: number;
}

/** Everybody who uses a login. */
export interface SeenUse {
  readonly login: string;
  readonly sessions: readonly SeenSession[];
  readonly prepared: readonly PreparedInfo[];
  readonly clients: readonly SeenClients[];
}

/** A replica that has not replayed what a step waits for. */
export interface SeenReplica {
  readonly replica: string;
  /** False: it was promoted, and replays nothing any more. */
  readonly standby: boolean;
  readonly paused: boolean;
}

/**
 * What a replica has not replayed yet: that a login has its new password, or that it may not log
 * in.
 */
export type NotReplayed = 'password' | 'nologin';

/** About who still uses a login that goes out, and where it is not shut out yet. */
export interface UseFacts {
  readonly 'drain-grace': { readonly until: string };
  readonly 'drain-waiting-for-sessions': SeenUse & { readonly pastDeadline: boolean };
  readonly 'drain-past-deadline': { readonly login: string; readonly deadline: string };
  readonly 'pgbouncer-not-asked': { readonly login: string; readonly cause: Fact };
  readonly 'pgbouncer-clients-stay': SeenClients;
  readonly 'prepared-transactions-left': {
    readonly login: string;
    readonly prepared: readonly PreparedInfo[];
  };
  readonly 'replicas-catching-up': {
    readonly login: string;
    readonly missing: NotReplayed;
    readonly replicas: readonly (SeenReplica & {
      /** Such as `16 kB`; null where a server does not tell. */
      readonly behind: string | null;
    })[];
  };
  /** The same, for too long. */
  readonly 'replicas-behind': {
    readonly login: string;
    readonly missing: NotReplayed;
    readonly replicas: readonly SeenReplica[];
  };
  readonly 'revoke-last-look': { readonly login: string };
  readonly 'revoke-ends-starting-sessions': { readonly login: string; readonly pids: readonly number[] };
  readonly 'starting-sessions-left': { readonly login: string; readonly pids: readonly number[] };
  readonly 'revoke-ends-sessions': {
    readonly login: string;
    readonly sessions: readonly SeenSession[];
  };
  readonly 'revoke-ends-lock-holders': { readonly login: string; readonly holders: readonly HolderInfo[] };
  readonly 'revoke-sessions-not-ended': {
    readonly login: string;
    readonly sessions: readonly SeenSession[];
    /** Why the rotator may not end them, where that is known. */
    readonly cause: Fact | null;
  };
  readonly 'login-not-revoked-yet': { readonly login: string; readonly cause: Fact };
  readonly 'emergency-makes-room': { readonly login: string; readonly sessions: number };
}

/** One server process that is logged in as a login. Ages are milliseconds. */
export interface SessionInfo {
  readonly pid: number;
  readonly database: string | null;
  /** Whether that is another database than the one that was asked in. */
  readonly elsewhere: boolean;
  /** The replica that it is on; left out: the primary. */
  readonly replica?: string;
  readonly application: string;
  readonly address: string | null;
  /** The client's port. -1: it came by a Unix socket; null: it has no client. */
  readonly port?: number | null;
  /** `client backend`, `walsender`, or a background worker that runs as the login. */
  readonly type: string;
  /**
   * Replication slots that it holds. They have no owner, so a slot that nobody holds is nobody's.
   */
  readonly slots: readonly string[];
  readonly state: string | null;
  readonly transactionAge: number | null;
}

/** A transaction that was prepared for a two-phase commit. */
export interface PreparedInfo {
  readonly gid: string;
  readonly database: string;
  /** ISO 8601. */
  readonly preparedAt: string;
}

/** Who holds a lock: a session, or a prepared transaction, which has none. */
export interface HolderInfo {
  /** Null: it is a prepared transaction. */
  readonly pid: number | null;
  /** Null: the login was dropped, or the process has none. */
  readonly login: string | null;
  readonly application: string;
  readonly state: string | null;
  /** When its transaction began, ISO 8601. */
  readonly since: string | null;
  readonly prepared: PreparedInfo | null;
}

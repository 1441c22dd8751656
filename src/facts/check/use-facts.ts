/** About who uses a policy's logins, and who reads them, when a rotation is about to begin. */
export interface CheckUseFacts {
  readonly 'sessions-of-dropped-logins': { readonly count: number };
  readonly 'incoming-has-sessions': { readonly login: string; readonly sessions: readonly SessionFact[] };
  readonly 'incoming-has-prepared-transactions': {
    readonly login: string;
    readonly transactions: readonly PreparedTransactionFact[];
  };
  /** `clients`: how many, of which login, and at which PgBouncer. */
  readonly 'incoming-has-pooled-clients': { readonly login: string; readonly clients: string };
  readonly 'incoming-is-published': { readonly login: string; readonly destination: string };
  readonly 'unpublished-logins-in-use': {
    readonly logins: readonly string[];
    readonly secrets: readonly string[];
    readonly destination: string;
  };
  readonly 'unpublished-login-in-use': {
    readonly login: string;
    /** The login that a rotation by hand would bring in. */
    readonly spare: string | null;
    readonly sessions: readonly SessionFact[];
    readonly secrets: readonly string[];
    readonly destination: string;
    /** How long a rotation waits for the sessions at most, in seconds; null: until they end. */
    readonly timeoutSeconds: number | null;
  };
}

/** A server process that is logged in as a login. */
export interface SessionFact {
  readonly pid: number;
  readonly database: string | null;
  /** Whether that is another database than the connection's. */
  readonly elsewhere: boolean;
  /** Left out: it is on the primary. */
  readonly replica?: string;
  readonly application: string;
  readonly address: string | null;
  readonly type: string;
  readonly slots: readonly string[];
  readonly state: string | null;
  /** In milliseconds. */
  readonly transactionAge: number | null;
}

export interface PreparedTransactionFact {
  readonly gid: string;
  readonly database: string;
  readonly preparedAt: string;
}

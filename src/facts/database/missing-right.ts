/** A right that the rotator lacks. */
export type MissingRight =
  /** CREATEROLE. */
  | { readonly right: 'alter-logins' }
  /** ADMIN OPTION on the login. */
  | { readonly right: 'alter-login'; readonly login: string }
  /** The login is a superuser, and the rotator is not. */
  | { readonly right: 'alter-superuser'; readonly login: string }
  /** Up to PostgreSQL 15 only a superuser may alter a login with REPLICATION. */
  | { readonly right: 'alter-replication-login'; readonly login: string }
  | { readonly right: 'see-sessions' }
  | { readonly right: 'end-sessions' };

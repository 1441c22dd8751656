import type { PreparedInfo } from '../../facts/database/session-info.ts';

/**
 * A transaction that was prepared for a two-phase commit and belongs to a login. It has no session,
 * keeps its locks across restarts, and pg_terminate_backend cannot end it. Where logins act as an
 * owner role (`SET role`) it is the owner's, so that either login can end it and neither is held
 * up. https://www.postgresql.org/docs/current/view-pg-prepared-xacts.html
 */
export interface PreparedTransaction {
  readonly gid: string;
  readonly database: string;
  readonly preparedAt: Date;
}

/** The same as JSON, for a fact. */
export function preparedInfo({ preparedAt, ...transaction }: PreparedTransaction): PreparedInfo {
  return { ...transaction, preparedAt: preparedAt.toISOString() };
}

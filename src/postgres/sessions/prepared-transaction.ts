import { strangersName } from '../../visible.ts';
import { quoteLiteral } from '../identifier.ts';

/**
 * A transaction that was prepared for a two-phase commit and belongs to a login. It has no session, keeps its locks
 * across restarts, and pg_terminate_backend cannot end it. Where logins act as an owner role (`SET role`) it is the
 * owner's, so that either login can end it and neither is held up.
 * https://www.postgresql.org/docs/current/view-pg-prepared-xacts.html
 */
export interface PreparedTransaction {
  readonly gid: string;
  readonly database: string;
  readonly preparedAt: Date;
}

/** Which one, since when, and what ends it. The instant and not the age, so that the text stays the same. */
export function describePrepared({ gid, database, preparedAt }: PreparedTransaction): string {
  const name = quoteLiteral(gid);
  return `${name} (in database ${strangersName(database)}, since ${preparedAt.toISOString()}; COMMIT PREPARED ${name} or ROLLBACK PREPARED ${name} there ends it)`;
}

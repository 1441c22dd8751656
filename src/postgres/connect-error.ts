import type { Database } from '../policy/config.ts';
import { DatabaseError, databaseError } from './database-error.ts';
import { quoteIdentifier } from './identifier.ts';
import { tlsFault } from './tls-fault.ts';

/**
 * What kept a session from being opened at `place`, with what mends it. `proven`: the server had proved by then that it
 * knows the password. Where the right to connect is missing, the message has the statement that gives it.
 */
export async function connectError(
  cause: unknown,
  target: Database,
  { place, proven }: { readonly place: string; readonly proven: boolean },
): Promise<DatabaseError> {
  const told = await tlsFault(cause, target, proven);
  if (told !== undefined) return new DatabaseError('tls', `${place}: ${told}`, { cause });
  const error = databaseError(cause, place);
  if (error.kind !== 'privilege') return error;
  const [database, user] = [target.database, target.user].map(quoteIdentifier);
  return new DatabaseError(
    'privilege',
    `${error.message}; run: GRANT CONNECT ON DATABASE ${database} TO ${user}`,
    { cause },
  );
}

import type { Database } from '../../config/config.ts';
import { grantConnect } from '../roles/grant-statements.ts';
import { NO_ANSWER_TO_TLS, tlsFault } from '../tls/tls-fault.ts';
import { DatabaseError, databaseError } from './database-error.ts';

/**
 * What kept a session from being opened at `place`, with what mends it. `proven`: the server had proved by then that it
 * knows the password. `answer`: what it sent first. Where the right to connect is missing, the message has the statement
 * that gives it.
 */
export async function connectError(
  cause: unknown,
  target: Database,
  { place, proven, answer }: { readonly place: string; readonly proven: boolean; readonly answer: Buffer },
): Promise<DatabaseError> {
  if ((cause as { message?: unknown }).message === NO_ANSWER_TO_TLS && isError(answer)) {
    const busy =
      'the server answered with an error before TLS, as where it can start no process for a session';
    return new DatabaseError('unreachable', `${place}: ${busy}; its log says why`, { cause });
  }
  const told = await tlsFault(cause, target, proven);
  if (told !== undefined) return new DatabaseError('tls', `${place}: ${told}`, { cause });
  const error = databaseError(cause, place);
  if (error.kind !== 'privilege') return error;
  return new DatabaseError(
    'privilege',
    `${error.message}; run: ${grantConnect(target.database, [target.user])}`,
    { cause },
  );
}

/**
 * Whether it is PostgreSQL that answers with an error, of either version of the protocol: E, and zero at the end. What it
 * says is not to be shown, since nobody knows yet who says it.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
function isError(answer: Buffer): boolean {
  return answer.at(0) === 'E'.charCodeAt(0) && answer.at(-1) === 0;
}

import type { Database } from '../../config/config.ts';
import { type Fault, fault, isFault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { grantConnect } from '../roles/grant-statements.ts';
import { NO_ANSWER_TO_TLS, tlsFault } from '../tls/tls-fault.ts';
import { databaseError } from './database-error.ts';
import { placeOf } from './place-of.ts';

/** How far the server came before the session failed. */
interface Progress {
  /** Whether it had proved that it knows the password. */
  readonly proven: boolean;
  /** What it sent first. */
  readonly answer: Buffer;
}

/** What kept a session from being opened. */
export async function connectError(
  cause: unknown,
  target: Database,
  { proven, answer }: Progress,
): Promise<Fault> {
  const place = placeOf(target);
  if ((cause as { message?: unknown }).message === NO_ANSWER_TO_TLS && isError(answer)) {
    return fault('server-answers-with-error', { place }, { cause });
  }
  const ofTls = await tlsFault(cause, target, proven);
  if (ofTls !== undefined) return ofTls;
  const error = databaseError(cause, place);
  if (!isFault(error, 'privilege-missing')) return error;
  const remedies = [sql(grantConnect(target.database, [target.user]))];
  return fault('privilege-missing', error.fact.params, { cause, remedies });
}

/**
 * Whether PostgreSQL answered with an error, of either version of the protocol: it begins with E
 * and ends with zero. What it says is not shown, because nobody knows yet who says it.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
 */
function isError(answer: Buffer): boolean {
  return answer.at(0) === 'E'.charCodeAt(0) && answer.at(-1) === 0;
}

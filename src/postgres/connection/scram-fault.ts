import type { AuthenticationMethod } from '../../facts/database/server-facts.ts';
import { type Fault, fault, isFault } from '../../facts/fault.ts';
import { detailOf } from './database-error.ts';

/** A server asks for another method than SCRAM-SHA-256. */
export function otherMethod(place: string, asked: AuthenticationMethod, cause?: unknown): Fault {
  return fault('server-uses-no-scram', { place, asked }, { cause });
}

/**
 * Whether it asked for an MD5 hash, as where pg_hba.conf says md5 and the server has no other of
 * the password.
 */
export function asksForMd5(error: unknown): boolean {
  if (isFault(error, 'server-uses-no-scram')) return error.fact.params.asked === 'md5';
  return error instanceof Error && asksForMd5(error.cause);
}

/** A server lets a client in without a question. */
export function notAsked(place: string): Fault {
  return fault('server-asks-no-password', { place });
}

/**
 * A server does not prove that it knows the password. `cause` is what pg found wrong in the
 * exchange.
 */
export function brokenExchange(place: string, cause: unknown): Fault {
  return fault('scram-not-proven', { place, detail: detailOf(cause) }, { cause });
}

import { otherOf } from '../../config/other-of.ts';
import type { SessionInfo } from '../../facts/database/session-info.ts';
import type { Login } from '../../postgres/logins/login.ts';
import type { LoginPair } from './rotation-logins.ts';

/**
 * Which login comes in and which goes out: the published one goes. Where neither is published, the
 * login without sessions comes in; of two without, one that cannot log in, since nobody can be
 * using it. Needs one without.
 */
export function resolveLogins(
  pair: readonly [string, string],
  published: string | undefined,
  found: ReadonlyMap<string, Login>,
  sessions: ReadonlyMap<string, readonly SessionInfo[]>,
): LoginPair {
  if (published !== undefined && pair.includes(published)) {
    return { incoming: otherOf(pair, published), outgoing: published };
  }
  const unused = pair.filter((login) => (sessions.get(login) ?? []).length === 0);
  const incoming = unused.find((login) => found.get(login)?.canLogin === false) ?? unused[0];
  if (incoming === undefined)
    throw new Error(`Both ${pair.join(' and ')} have sessions, so neither comes in`);
  return { incoming, outgoing: otherOf(pair, incoming) };
}

/**
 * Which login comes in where PostgreSQL refuses the published one: the other one. While that is in
 * use and the published one is not, it is the published one itself: nobody can be using it.
 */
export function loginsAfterRefusal(
  pair: readonly [string, string],
  published: string,
  sessions: ReadonlyMap<string, readonly SessionInfo[]>,
): LoginPair {
  const other = otherOf(pair, published);
  const isUsed = (login: string) => (sessions.get(login) ?? []).length > 0;
  return isUsed(other) && !isUsed(published)
    ? { incoming: published, outgoing: other }
    : { incoming: other, outgoing: published };
}

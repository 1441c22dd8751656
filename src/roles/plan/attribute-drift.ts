import { fact } from '../../facts/fact.ts';
import type { Login } from '../../postgres/logins/login.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { limitConnections, neverExpire } from '../../postgres/roles/role-statements.ts';
import type { Intent } from '../intent.ts';
import type { CurrentRoles } from './current-roles.ts';
import type { RepairContext } from './repair-context.ts';

/** Removes an expiry that has passed, or that the two logins do not have alike. */
export function expiry({ name, expired, validUntil }: Login, found: readonly Login[]): Change[] {
  const sql = neverExpire(name);
  if (expired) return [{ does: fact('remove-past-expiry', { login: name }), sql }];
  const isAlike = found.every((login) => login.validUntil?.getTime() === validUntil?.getTime());
  if (validUntil === null || isAlike) return [];
  return [{ does: fact('remove-expiry', { login: name, until: validUntil.toISOString() }), sql }];
}

/**
 * A pair that keyturn created has no limit. A pair of which it found a login has the limit of the
 * published one, which serves the consumers, unless that limit lets nobody in.
 */
export function connectionLimit(
  { name, connectionLimit: limit }: Login,
  { logins: pair }: Intent,
  { logins }: CurrentRoles,
  { made, published }: RepairContext,
): Change[] {
  const limitOf = (login: string) => logins.get(login)?.connectionLimit ?? 0;
  const like = [published ?? name, ...pair].find((login) => limitOf(login) !== 0);
  const wanted = like === undefined || pair.every((login) => made.includes(login)) ? -1 : limitOf(like);
  if (limit === wanted) return [];
  const does =
    wanted === -1 || like === undefined
      ? fact('remove-connection-limit', { login: name, limit })
      : fact('set-connection-limit', { login: name, limit: wanted, like });
  return [{ does, sql: limitConnections(name, wanted) }];
}

import { fact } from '../facts/fact.ts';
import { sql } from '../facts/remedy.ts';
import { readSlots } from '../postgres/connection/free-slots.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';
import { readLogins } from '../postgres/logins/login.ts';
import { allowReservedConnections, readReserve } from '../postgres/roles/reserved-connections.ts';
import type { PolicyView } from '../rotation/context/policy-view.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';

/**
 * Connections that the limit in the remedy leaves to the rotator, the incoming login, and whoever
 * else works there.
 */
const LEFT_TO_OTHERS = 5;

/**
 * Whether somebody with a leaked password could take every connection of the server, and so keep
 * the rotation out that is to shut that login out.
 */
export async function slotFindings(view: PolicyView): Promise<Finding[]> {
  const client = await view.rotator();
  const { all } = await readSlots(client);
  const found = [...(await readLogins(client, view.policy.logins)).values()];
  const logins = found
    .filter(({ connectionLimit }) => connectionLimit < 0 || connectionLimit >= all)
    .map(({ name }) => name);
  // While the limits differ, or a login is missing, another finding has a remedy that sets both.
  const isUneven = new Set(found.map(({ connectionLimit }) => connectionLimit)).size !== 1;
  if (isUneven || found.length < view.policy.logins.length) return [];
  const { rotator, isSuperuser, mayUse, count } = await readReserve(client);
  if (logins.length === 0 || isSuperuser || (mayUse && (count ?? 0) > 0)) return [];
  const limit = Math.max(1, all - LEFT_TO_OTHERS);
  const statements = logins.map((name) => `ALTER ROLE ${quoteIdentifier(name)} CONNECTION LIMIT ${limit}`);
  const exhausted = fact(
    'connections-can-be-exhausted',
    {
      logins,
      connections: all,
      rotator,
      because: count === undefined ? 'unsupported' : mayUse ? 'none-reserved' : 'not-member',
      reserve: count === undefined ? null : allowReservedConnections(rotator),
    },
    sql(...statements),
  );
  return [finding('warn', 'connections', exhausted)];
}

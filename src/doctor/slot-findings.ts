import { readSlots } from '../postgres/connection/free-slots.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';
import { readLogins } from '../postgres/logins/login.ts';
import { allowReservedConnections, readReserve } from '../postgres/roles/reserved-connections.ts';
import type { RotationView } from '../rotation/context/rotation-context.ts';
import type { Finding } from '../rotation/findings/finding.ts';

/** What the remedy leaves to others: the rotator, the login that comes in, and whoever else works there. */
const LEFT = 5;

/**
 * Whether somebody with a leaked password could take every connection of the server, and so keep the rotation out that
 * is to shut that login.
 */
export async function slotFindings(view: RotationView): Promise<Finding[]> {
  const client = await view.rotator();
  const { all } = await readSlots(client);
  const logins = [...(await readLogins(client, view.policy.logins)).values()];
  const unlimited = logins
    .filter(({ connectionLimit }) => connectionLimit < 0 || connectionLimit >= all)
    .map(({ name }) => name);
  // While they differ, or one is missing, there is another finding, whose remedy sets both.
  const isOdd = new Set(logins.map(({ connectionLimit }) => connectionLimit)).size !== 1;
  if (isOdd || logins.length < view.policy.logins.length) return [];
  const { rotator, isSuperuser, mayUse, count } = await readReserve(client);
  if (unlimited.length === 0 || isSuperuser || (mayUse && (count ?? 0) > 0)) return [];
  const why =
    count === undefined
      ? 'PostgreSQL reserves none for it before version 16'
      : mayUse
        ? 'reserved_connections is 0'
        : `${rotator} is no member of pg_use_reserved_connections`;
  return [
    {
      level: 'warn',
      about: 'connections',
      text: `${unlimited.join(' and ')} may take all ${all} connections of the server, and the rotator has none of its own (${why}): who has a leaked password could keep an emergency rotation out`,
      ...(count === undefined
        ? {}
        : {
            remedy: `limit the logins, or reserve connections: ${allowReservedConnections(rotator)}, and reserved_connections = 3 in postgresql.conf, which takes a restart`,
          }),
      sql: unlimited.map(
        (name) => `ALTER ROLE ${quoteIdentifier(name)} CONNECTION LIMIT ${Math.max(1, all - LEFT)}`,
      ),
    },
  ];
}

import type { Config } from '../policy/config.ts';
import type { Policy } from '../policy/policy.ts';
import { serverOf } from '../policy/server.ts';

/** Every policy on the server of a connection, whose roles they share, or in its database only. */
export function neighboursOf(
  { policies, connections }: Config,
  connection: string,
  scope: 'server' | 'database',
): Policy[] {
  const placeOf = (name: string) => {
    const found = connections.get(name);
    if (!found) return undefined;
    const server = 'embedded' in found ? serverOf({}, false) : serverOf(found, true);
    return JSON.stringify([server, scope === 'database' && found.database]);
  };
  const place = placeOf(connection);
  return [...policies.values()].filter((policy) => placeOf(policy.connection) === place);
}

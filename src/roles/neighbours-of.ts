import type { Config } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';
import { serverOfConnection } from '../config/values/server.ts';

/** Every policy on the server of a connection, whose roles they share, or in its database only. */
export function neighboursOf(
  { policies, connections }: Config,
  connection: string,
  scope: 'server' | 'database',
): Policy[] {
  const placeOf = (name: string) => {
    const found = connections.get(name);
    if (!found) return undefined;
    return JSON.stringify([serverOfConnection(found), scope === 'database' && found.database]);
  };
  const place = placeOf(connection);
  return [...policies.values()].filter((policy) => placeOf(policy.connection) === place);
}

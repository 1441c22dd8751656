import type { Config } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';
import { serverOfConnection } from '../config/values/server.ts';

/**
 * Every policy whose connection leads to the same server as this one, or to the same database
 * there.
 */
export function policiesSharing(
  { policies, connections }: Config,
  shared: 'server' | 'database',
  connection: string,
): Policy[] {
  const addressOf = (name: string) => {
    const found = connections.get(name);
    if (!found) return undefined;
    return JSON.stringify([serverOfConnection(found), shared === 'database' && found.database]);
  };
  const address = addressOf(connection);
  return [...policies.values()].filter((policy) => addressOf(policy.connection) === address);
}

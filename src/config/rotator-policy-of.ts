import type { Config, Connection } from './config.ts';
import type { Policy } from './policy.ts';
import { serverOf } from './values/server.ts';

/** The policy that rotates the rotator of a connection, or of another one to the same server. */
export function rotatorPolicyOf(
  connection: Connection,
  { connections, policies }: Pick<Config, 'connections' | 'policies'>,
): Policy | undefined {
  const server = serverOf(connection, true);
  return [...policies.values()].find(({ type, connection: name }) => {
    const its = connections.get(name);
    if (type !== 'rotator' || its === undefined || 'embedded' in its) return false;
    return its.user === connection.user && serverOf(its, true) === server;
  });
}

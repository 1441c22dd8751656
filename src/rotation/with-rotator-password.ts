import type { Connection, WithPassword } from '../policy/config.ts';
import { placeOf } from '../postgres/connect.ts';
import { DatabaseError } from '../postgres/database-error.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';
import type { OpenDestination } from './rotation-context.ts';

/**
 * A connection whose rotator has a policy of its own. Its password is the one that this process logged in with last;
 * else what the policy's primary publishes; else what is pending there, which is the password while a rotation is between
 * `set` and `publish`; else the configured one, with which it all began. Each is tried only once the one before was
 * refused: of a server that does not answer nothing follows. No password is kept but in memory (G3).
 */
export function withRotatorPassword(
  { password: configured = '', ...connection }: Connection,
  policy: string,
  primary: OpenDestination,
): Connection {
  let last: string | undefined;

  async function* candidates(): AsyncGenerator<string> {
    if (last !== undefined) yield last;
    for (const stage of ['current', 'pending'] as const) {
      const { username, password } = (await primary.store.read(primary.secrets, stage))?.fields ?? {};
      if (username === connection.user && password !== undefined) yield password;
    }
    yield configured;
  }

  const withPassword: WithPassword = async (attempt) => {
    const refused = new Map<string, DatabaseError>();
    for (;;) {
      const before = refused.size;
      for await (const password of candidates()) {
        if (refused.has(password)) continue;
        try {
          const result = await attempt(password);
          last = password;
          return result;
        } catch (error) {
          if (!(error instanceof DatabaseError && error.kind === 'authentication')) throw error;
          refused.set(password, error);
        }
      }
      // What was pending while `current` was tried may be current by now: only once nothing is new there is no way in.
      if (refused.size === before) break;
    }
    const [cause, ...others] = [...refused.values()].reverse();
    // Nothing was ever published: it is the configured one that is wrong, and the error says so.
    if (cause && others.length === 0) throw cause;
    throw new DatabaseError(
      'authentication',
      `${placeOf(connection)}: PostgreSQL refuses what ${primary.name} has of policy ${policy}, current and pending, and the password that connection ${connection.name} configures; set one by hand, ALTER ROLE ${quoteIdentifier(connection.user)} PASSWORD '…', and configure it there`,
      { cause },
    );
  };

  return { ...connection, withPassword };
}

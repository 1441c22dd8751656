import type { Connection, Database, WithPassword } from '../../config/config.ts';
import { type Fault, factOf, fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { placeOf } from '../../postgres/connection/connect.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { isPasswordRefused } from '../server-fault.ts';
import type { OpenDestination } from './rotation-context.ts';

/**
 * A connection whose rotator has a policy of its own. These passwords are tried in order: the last
 * one that worked on this server; what the policy's primary publishes; what is pending there
 * (between `set` and `publish`); the one before (a replica may not have replayed the next); the
 * configured one. The next is tried only if PostgreSQL refused the password before it, and not if
 * the server is away. Passwords are kept in memory only (G3).
 */
export function withRotatorPassword(
  { password: configured = '', ...connection }: Connection,
  policy: string,
  primary: OpenDestination,
): Connection {
  const last = new Map<string, string>();

  async function* candidates(server: string): AsyncGenerator<string> {
    const known = last.get(server);
    if (known !== undefined) yield known;
    for (const stage of ['current', 'pending', 'previous'] as const) {
      const { username, password } = (await primary.store.read(primary.secrets, stage))?.fields ?? {};
      if (username === connection.user && password !== undefined) yield password;
    }
    yield configured;
  }

  const withPassword: WithPassword = async (target, attempt) => {
    const server = serverText(target);
    const refused = new Map<string, unknown>();
    for (;;) {
      const before = refused.size;
      for await (const password of candidates(server)) {
        if (refused.has(password)) continue;
        try {
          const result = await attempt(password);
          last.set(server, password);
          return result;
        } catch (error) {
          if (!isPasswordRefused(error)) throw error;
          refused.set(password, error);
        }
      }
      // What was pending may be current by now. Give up only once there is no new candidate.
      if (refused.size === before) break;
    }
    const [cause, ...others] = [...refused.values()].reverse();
    throw others.length === 0 ? onlyRefusal(cause) : refusal(target, cause);
  };

  /**
   * Nothing was ever published, so the configured password is wrong or missing, as the cause says.
   */
  function onlyRefusal(cause: unknown): Fault {
    return fault(
      'rotator-password-unknown',
      { policy, destination: primary.name, cause: factOf(cause) },
      { cause },
    );
  }

  function refusal(target: Database, cause: unknown): Fault {
    const params = {
      server: placeOf(target),
      policy,
      destination: primary.name,
      connection: connection.name,
    };
    if (serverText(target) !== serverText(connection)) {
      return fault('replica-refuses-rotator-passwords', params, { cause });
    }
    const alter = `ALTER ROLE ${quoteIdentifier(connection.user)}`;
    const remedies = [sql(`${alter} VALID UNTIL 'infinity'`)];
    return fault('rotator-passwords-refused', params, { cause, remedies });
  }

  return { ...connection, withPassword };
}

function serverText({ host, port }: Database): string {
  return `${host}:${port}`;
}

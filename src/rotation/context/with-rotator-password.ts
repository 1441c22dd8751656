import type { Connection, Database, WithPassword } from '../../config/config.ts';
import { placeOf } from '../../postgres/connection/connect.ts';
import { DatabaseError } from '../../postgres/connection/database-error.ts';
import { refusedAs } from '../../postgres/connection/refused-as.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import type { OpenDestination } from './rotation-context.ts';

const MOVED = 'if another destination was the first of the policy until now, put that back';

/**
 * A connection whose rotator has a policy of its own. Its password is the one that this process logged in to the same server
 * with last; else what the policy's primary publishes; else what is pending there, which is the password while a rotation is
 * between `set` and `publish`; else the one before, which a replica has until it replays the next; else the configured one,
 * with which it all began. Each is tried only once the one before was refused: of a server that does not answer, or keeps the
 * rotator out whatever its password, nothing follows. No password is kept but in memory (G3).
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
          if (refusedAs(error) !== 'password') throw error;
          refused.set(password, error);
        }
      }
      // What was pending while `current` was tried may be current by now: only once nothing is new there is no way in.
      if (refused.size === before) break;
    }
    const [cause, ...others] = [...refused.values()].reverse();
    throw others.length === 0 ? onlyRefusal(cause) : refusal(target, cause);
  };

  /** Nothing was ever published, so it is the configured one that is wrong, as the error says; or not there. */
  function onlyRefusal(cause: unknown): DatabaseError {
    const told = cause instanceof Error ? cause.message : String(cause);
    return new DatabaseError(
      'authentication',
      `${told}. ${primary.name} has no other of policy ${policy}: ${MOVED}`,
      { cause },
    );
  }

  function refusal(target: Database, cause: unknown): DatabaseError {
    const all = `${placeOf(target)}: PostgreSQL refuses what ${primary.name} has of policy ${policy}, current, pending and previous, and the password that connection ${connection.name} configures`;
    if (serverText(target) !== serverText(connection)) {
      return new DatabaseError(
        'behind',
        `${all}; it may not have replayed the password of now: find out from pg_stat_replication on the primary what keeps it`,
        { cause },
      );
    }
    const alter = `ALTER ROLE ${quoteIdentifier(connection.user)}`;
    return new DatabaseError(
      'authentication',
      `${all}; ${MOVED}; if the role's VALID UNTIL is over, ${alter} VALID UNTIL 'infinity'; else set a password by hand, ${alter} PASSWORD '…', and configure it there`,
      { cause },
    );
  }

  return { ...connection, withPassword };
}

function serverText({ host, port }: Database): string {
  return `${host}:${port}`;
}

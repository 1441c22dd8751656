import type pg from 'pg';
import type { Connection, Replica } from '../../config/config.ts';
import type { ReplicaInfo } from '../../facts/database/server-facts.ts';
import type { Fact } from '../../facts/fact.ts';
import { Fault } from '../../facts/fault.ts';
import { connect, type Session, type Target } from '../connection/connect.ts';
import { databaseError } from '../connection/database-error.ts';
import { inTransaction } from '../connection/in-transaction.ts';
import { placeOf } from '../connection/place-of.ts';
import { type LoginUse, terminate, usesOf } from '../sessions/sessions.ts';

/** A standby server that consumers log in to. The faults of all its verbs name it. */
export interface OpenReplica extends AsyncDisposable {
  /** `db-2.internal:5432` */
  readonly name: string;
  readonly target: Target;
  /** Asks it as the rotator, in a session that is opened on first use. */
  ask<Answer>(question: (client: pg.Client) => Promise<Answer>): Promise<Answer>;
  /** Who uses logins there. Throws if the rotator may not see that (G6). */
  uses(logins: readonly string[]): Promise<Map<string, LoginUse>>;
  /** Ends sessions there, as {@link terminate} does. Hold the policy's lock, on the primary. */
  terminate(login: string, pids: readonly number[]): Promise<number[]>;
}

export function openReplica({ replicas: _, ...connection }: Connection, replica: Replica): OpenReplica {
  const name = `${replica.host}:${replica.port}`;
  const target = { ...connection, ...replica };
  let session: Promise<Session> | undefined;

  async function ask<Answer>(question: (client: pg.Client) => Promise<Answer>): Promise<Answer> {
    try {
      session ??= connect(target);
      return await question((await session).client);
    } catch (cause) {
      throw ofReplica(databaseError(cause, placeOf(target)), { name, connection: connection.name });
    }
  }

  return {
    name,
    target,
    ask,
    async uses(logins) {
      const uses = await ask((client) => usesOf(client, logins));
      return new Map(
        [...uses].map(([login, { sessions }]) => [
          login,
          // Prepared transactions are the primary's. A standby keeps them only in case it is
          // promoted.
          { sessions: sessions.map((each) => ({ ...each, replica: name })), prepared: [] },
        ]),
      );
    },
    terminate(login, pids) {
      return ask((client) => inTransaction(client, () => terminate(client, login, pids)));
    },
    async [Symbol.asyncDispose]() {
      const opened = await session?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
    },
  };
}

/** The same fault, which names the replica. */
function ofReplica(error: Fault, replica: ReplicaInfo): Fault {
  // Every fault that comes of asking a server takes the replica as a parameter.
  const fact = { ...error.fact, params: { ...error.fact.params, replica } } as Fact;
  return new Fault(fact, { cause: error });
}

import type { SessionInfo } from '../../facts/database/session-info.ts';
import { fact } from '../../facts/fact.ts';
import { factOf } from '../../facts/fault.ts';
import type { IdleConnection } from '../../postgres/sessions/pgbouncer.ts';
import type { LoginUse } from '../../postgres/sessions/sessions.ts';
import type { PolicyView } from '../context/policy-view.ts';
import type { Notice } from '../step.ts';
import { placeOf, type UseAt, useAt } from './use-at.ts';

/** What the PgBouncers of a connection have of a login, all together. */
export interface PooledUse extends UseAt {
  /** Which PgBouncers could not be asked (G6). */
  readonly faults: readonly Notice[];
}

/**
 * Asks every PgBouncer of the connection about a login. A client there uses the login although it
 * may have no session in PostgreSQL: in transaction pooling it has one only during a transaction.
 * Never throws: what PgBouncer cannot tell holds up no rotation.
 */
export async function pooledUse(
  { connection }: Pick<PolicyView, 'connection'>,
  login: string,
  options: { readonly afterLogins?: boolean } = {},
): Promise<PooledUse> {
  const faults: Notice[] = [];
  const uses = (connection.pgbouncer ?? []).map((settings) =>
    useAt(settings, login, options).catch((error: unknown): UseAt => {
      faults.push({
        fact: fact('pgbouncer-not-asked', { login, cause: factOf(error) }),
        subject: placeOf(settings),
      });
      return { clients: [], idle: [] };
    }),
  );
  const seen = await Promise.all(uses);
  return {
    clients: seen.flatMap(({ clients }) => clients),
    idle: seen.flatMap(({ idle }) => idle),
    faults,
  };
}

/**
 * Whether a session is one that a PgBouncer keeps though no client uses it. PostgreSQL must say so,
 * too: that it is idle, and that it comes from the port that PgBouncer names.
 */
export function isLeft({ pid, port, state }: SessionInfo, idle: readonly IdleConnection[]): boolean {
  return state === 'idle' && idle.some((each) => each.pid === pid && each.port === port);
}

/** A use without the sessions that PgBouncers keep for nobody. */
export function withoutLeft(use: LoginUse, idle: readonly IdleConnection[]): LoginUse {
  return { ...use, sessions: use.sessions.filter((session) => !isLeft(session, idle)) };
}

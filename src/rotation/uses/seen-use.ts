import type { SessionInfo } from '../../facts/database/session-info.ts';
import type { SeenClients, SeenSession, SeenUse } from '../../facts/rotation/use-facts.ts';
import { preparedInfo } from '../../postgres/sessions/prepared-transaction.ts';
import type { LoginUse } from '../../postgres/sessions/sessions.ts';

/** Who uses a login, without process ids and ages: the fact changes only when the users change. */
export function seenUse(
  login: string,
  { sessions, prepared }: LoginUse,
  clients: readonly SeenClients[] = [],
): SeenUse {
  return { login, sessions: sessions.map(alike), prepared: prepared.map(preparedInfo), clients };
}

/** The same with process ids and ages, for a fact that is told once. */
export function seenInDetail(login: string, use: LoginUse, clients: readonly SeenClients[] = []): SeenUse {
  return { ...seenUse(login, use, clients), sessions: use.sessions.map(seenSession) };
}

/** The subject of a warning about sessions: all that distinguishes them, process ids aside. */
export function subjectOfSessions(sessions: readonly SessionInfo[]): string {
  return JSON.stringify(sessions.map(alike));
}

export function seenSession(session: SessionInfo): SeenSession {
  return { ...alike(session), pid: session.pid, transactionAge: session.transactionAge };
}

/** A pool that connects anew has sessions that look the same. */
function alike(session: SessionInfo): SeenSession {
  const { application, address, database, elsewhere, replica, type, slots, state } = session;
  return {
    application,
    address,
    database,
    elsewhere,
    ...(replica !== undefined && { replica }),
    type,
    slots,
    state,
    transactionAge: null,
  };
}

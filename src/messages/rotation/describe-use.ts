import { counted } from '../../counted.ts';
import type { SeenClients, SeenReplica, SeenSession, SeenUse } from '../../facts/rotation/use-facts.ts';
import { describePrepared, describeSession } from '../database/describe-session.ts';

/**
 * Who uses a login: `2 sessions of app_a: psql@local (idle), …`; `note` follows the name of the
 * login.
 */
export function useText({ login, sessions, prepared, clients }: SeenUse, note = ''): string {
  const name = `${login}${note}`;
  const parts = [
    ...(sessions.length > 0 || prepared.length + clients.length === 0
      ? [`${counted(sessions.length, 'session')} of ${name}: ${sessions.map(sessionText).join(', ')}`]
      : []),
    ...(prepared.length > 0
      ? [
          `${counted(prepared.length, 'prepared transaction')} of ${name}: ${prepared.map(describePrepared).join(', ')}`,
        ]
      : []),
    ...clients.map(clientsText),
  ];
  return parts.join('; ');
}

/** All that use a login in one list, without its name; empty where nobody does. */
export function usersText({ sessions, prepared, clients }: SeenUse): string {
  return [
    ...sessions.map(sessionText),
    ...prepared.map((transaction) => `prepared transaction ${describePrepared(transaction)}`),
    ...clients.map(clientsText),
  ].join(', ');
}

/** The same, or `none now` where nobody does. */
export function holdersNow(use: SeenUse): string {
  const users = usersText(use);
  return users === '' ? 'none now' : `now: ${users}`;
}

export function sessionsText(sessions: readonly SeenSession[]): string {
  return sessions.map((session) => `pid ${session.pid}, ${sessionText(session)}`).join('; ');
}

function sessionText(session: SeenSession): string {
  // It does not tell the pid.
  return describeSession({ ...session, pid: session.pid ?? 0 });
}

export function clientsText({ clients, login, pgbouncer, database }: SeenClients): string {
  return `${counted(clients, 'client')} of ${login} at PgBouncer ${pgbouncer} in its database ${database}`;
}

/** Why a replica does not replay, as far as it tells. */
export function replayText({ standby, paused }: SeenReplica): string {
  if (!standby) return 'it is not a standby server any more';
  return paused ? 'its replay is paused' : 'it replays';
}

export function processes(pids: readonly number[]): string {
  return `${pids.length === 1 ? 'process' : 'processes'} ${pids.join(', ')}`;
}

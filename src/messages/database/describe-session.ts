import type { HolderInfo, PreparedInfo, SessionInfo } from '../../facts/database/session-info.ts';
import { quoteLiteral } from '../../postgres/identifier.ts';
import { strangersName } from '../../visible.ts';

/** `psql@10.0.0.7 (idle in transaction, transaction 12 s old)` */
export function describeSession(session: SessionInfo): string {
  const { application, address, type, slots, state, database, elsewhere, replica, transactionAge } = session;
  const facts = [
    ...(type === 'client backend' ? [] : [type]),
    ...(slots.length > 0 ? [`replication slot ${slots.join(' and ')}`] : []),
    state ?? 'unknown state',
    ...(elsewhere ? [`in database ${strangersName(database ?? '')}`] : []),
    ...(replica === undefined ? [] : [`on replica ${replica}`]),
    ...(transactionAge === null ? [] : [`transaction ${Math.round(transactionAge / 1000)} s old`]),
  ];
  return `${strangersName(application) || 'unnamed application'}@${address ?? 'local'} (${facts.join(', ')})`;
}

/**
 * Which transaction, since when, and what ends it. It says the instant and not the age, so that the
 * text stays the same from one look to the next.
 */
export function describePrepared({ gid, database, preparedAt }: PreparedInfo): string {
  const name = quoteLiteral(gid);
  return `${name} (in database ${strangersName(database)}, since ${preparedAt}; COMMIT PREPARED ${name} or ROLLBACK PREPARED ${name} there ends it)`;
}

/**
 * `pid 71, login app_a, application psql, idle in transaction, in a transaction since
 * 2026-01-31T10:00:00.000Z`
 */
export function describeHolder({ pid, login, application, state, since, prepared }: HolderInfo): string {
  if (prepared) return `prepared transaction ${describePrepared(prepared)} of ${login}`;
  return [
    `pid ${pid}`,
    login === null ? 'no login' : `login ${login}`,
    application === '' ? 'no application name' : `application ${strangersName(application)}`,
    `${state ?? 'unknown state'}${since === null ? '' : `, in a transaction since ${since}`}`,
  ].join(', ');
}

/** The same of several, or `nobody` where none is known. */
export function describeHolders(holders: readonly HolderInfo[], nobody: string): string {
  return holders.map(describeHolder).join('; ') || nobody;
}

/**
 * What to do about those who hold a lock; undefined where nobody is known to hold it. The
 * statements that end them are remedies: see `endingThem` in src/postgres/locks/lock-holders.ts.
 */
export function adviseEnding(holders: readonly HolderInfo[]): string | undefined {
  const databases = [...new Set(holders.flatMap(({ prepared }) => prepared?.database ?? []))];
  const hasSessions = holders.some(({ pid }) => pid !== null);
  const parts = [
    ...(hasSessions
      ? ['if that lasts, end the session as a superuser or a member of pg_signal_backend']
      : []),
    ...(databases.length > 0
      ? [
          `as a superuser, end the prepared transaction in database ${databases.map(strangersName).join(', ')}`,
        ]
      : []),
  ];
  return parts.length > 0 ? parts.join('; ') : undefined;
}

import type { SeenHolder } from '../../facts/rotation/use-facts.ts';
import type { LockHolder } from './lock-holders.ts';

/** Who holds a lock, as a fact keeps it. */
export function seenHolder({ pid, login, application, state, since, prepared }: LockHolder): SeenHolder {
  return {
    pid,
    login,
    application,
    state,
    since: since?.toISOString() ?? null,
    prepared: prepared && { ...prepared, preparedAt: prepared.preparedAt.toISOString() },
  };
}

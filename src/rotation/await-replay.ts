import { isFuture } from '../ledger/future.ts';
import { DatabaseError } from '../postgres/connection/database-error.ts';
import type { OpenReplica } from '../postgres/replicas/open-replica.ts';
import { type ReplayLag, replayLag } from '../postgres/replicas/replay-lag.ts';
import type { RotationContext } from './context/rotation-context.ts';
import type { Wait } from './step.ts';

/** How long replicas may be behind before that is a fault: it then shows in `status`, and `retryFor` bounds it. */
const PATIENCE_MS = 60_000;

/**
 * What a step returns while replicas have not replayed what it waits for; `shows` says by what one sees that, such as
 * `still lets app_a log in`. Throws a DatabaseError of kind `behind` when that has lasted too long.
 */
export async function awaitReplay(
  context: RotationContext,
  behind: readonly OpenReplica[],
  shows: string,
): Promise<Wait> {
  const primary = await context.rotator();
  const lags: (readonly [OpenReplica, ReplayLag])[] = [];
  for (const replica of behind) lags.push([replica, await replayLag(primary, replica)]);
  const now = context.clock.now();
  const since = await firstSaid(context, shows);
  // Since an instant in the future: a clock was wrong, and nobody knows for how long it has lasted.
  if (since !== undefined && (isFuture(new Date(since), now) || now - since >= PATIENCE_MS)) {
    // Without figures: a text that stays the same is told once.
    const told = lags.map(([{ name }, lag]) => `The replica ${name} ${shows}: ${faultOf(lag)}`);
    throw new DatabaseError(
      'behind',
      `${told.join('. ')}. To go on without a replica, remove it from the replicas of connection ${context.connection.name}`,
    );
  }
  return {
    until: now + Math.round(Math.min(5_000, Math.max(250, (now - (since ?? now)) / 4))),
    reason: lags.map(([{ name }, lag]) => `replica ${name} ${shows} (${stateOf(lag)})`).join('; '),
  };
}

async function firstSaid({ ledger, rotation }: RotationContext, text: string): Promise<number | undefined> {
  const events = await ledger.events([rotation.id]);
  return events.find(({ detail }) => detail?.includes(text))?.at.getTime();
}

function stateOf({ standby, paused, behind }: ReplayLag): string {
  if (!standby) return 'it is no standby server any more';
  return `${paused ? 'its replay is paused' : 'it replays'}${behind === undefined ? '' : `, ${behind} behind`}`;
}

function faultOf({ standby, paused }: ReplayLag): string {
  if (!standby) return 'it is no standby server any more';
  if (paused) return 'its replay is paused; run there: SELECT pg_catalog.pg_wal_replay_resume()';
  return 'find out from pg_stat_replication on the primary what keeps it, and compare its pg_hba.conf';
}

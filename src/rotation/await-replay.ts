import { fault } from '../facts/fault.ts';
import { type Remedy, sql } from '../facts/remedy.ts';
import type { NotReplayed, SeenReplica } from '../facts/rotation/use-facts.ts';
import { isFuture } from '../ledger/future.ts';
import type { OpenReplica } from '../postgres/replicas/open-replica.ts';
import { replayLag } from '../postgres/replicas/replay-lag.ts';
import type { RotationRun } from './context/rotation-view.ts';
import type { Wait } from './step.ts';

/**
 * How long replicas may be behind before that is a fault: it then shows in `status`, and `retryFor`
 * bounds it.
 */
const PATIENCE_MS = 60_000;

/**
 * What a step returns while it waits for replicas to replay a change of a login. Throws a fault
 * `replicas-behind` when that has lasted too long.
 */
export async function awaitReplay(
  context: RotationRun,
  behind: readonly OpenReplica[],
  { login, missing }: { readonly login: string; readonly missing: NotReplayed },
): Promise<Wait> {
  const primary = await context.rotator();
  const lags: (SeenReplica & { readonly behind: string | null })[] = [];
  for (const replica of behind) {
    const lag = await replayLag(primary, replica);
    const { standby, paused } = lag;
    lags.push({ replica: replica.name, standby, paused, behind: lag.behind ?? null });
  }
  const now = context.clock.now();
  const since = context.rotation.replicasBehindSince;
  // An instant in the future was written by a wrong clock, so nobody knows how long it has lasted.
  if (since !== null && (isFuture(since, now) || now - since.getTime() >= PATIENCE_MS)) {
    // Without figures, so that the fault stays the same and is reported once.
    const replicas = lags.map(({ replica, standby, paused }) => ({ replica, standby, paused }));
    const remedies = remediesOf(replicas, context.connection.name);
    throw fault('replicas-behind', { login, missing, replicas }, { remedies });
  }
  return {
    until: now + Math.round(Math.min(5_000, Math.max(250, (now - (since?.getTime() ?? now)) / 4))),
    fact: { code: 'replicas-catching-up', params: { login, missing, replicas: lags } },
    marks: ['replicasBehindSince'],
  };
}

function remediesOf(replicas: readonly SeenReplica[], connection: string): readonly Remedy[] {
  return [
    { kind: 'config', path: `connections.${connection}.replicas` },
    ...(replicas.some(({ paused }) => paused) ? [sql('SELECT pg_catalog.pg_wal_replay_resume()')] : []),
  ];
}

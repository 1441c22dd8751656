import { fact } from '../../facts/fact.ts';
import type { LoginsRun } from '../context/rotation-view.ts';
import type { Wait } from '../step.ts';

/** How long a slot waits for the probes at most, and how often it looks, in milliseconds. */
const PATIENCE_MS = 120_000;
const POLL_MS = 5_000;

/**
 * Where a connection leads to another server than the one whose logins were probed, a slot waits
 * until they are probed there: after a failover or a restored backup, what is published may not
 * work. Probes restore it, or tell somebody, before more is changed.
 */
export async function awaitProbes(context: LoginsRun): Promise<Wait | undefined> {
  const { policy, rotation, ledger, connection, clock } = context;
  if (rotation.reason !== 'schedule' || !policy.probe || rotation.incoming !== null) return undefined;
  const now = clock.now();
  // Without a worker that probes it must rotate all the same.
  if (now >= rotation.requestedAt.getTime() + PATIENCE_MS) return undefined;
  const known = await ledger.servers.known(policy.connection);
  if (known === undefined || known === (await context.survey()).server.started) return undefined;
  await ledger.servers.hurry(policy.connection);
  const server = `${connection.host}:${connection.port}`;
  return { until: now + POLL_MS, fact: fact('check-waiting-for-probes', { server }) };
}

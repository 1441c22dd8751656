import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type FleetPolicy, GRACE_MS, type Published, TIMEOUT_MS } from './fleet.ts';
import type { Publications } from './publications.ts';
import type { Watch } from './watch-doors.ts';

interface Place extends Watch {
  readonly database: string;
}

function account({ target, database }: Place, { user, password }: Published): pg.ClientConfig {
  const { host, port } = target;
  return { host, port, database, user, password, connectionTimeoutMillis: 10_000 };
}

/** Whether PostgreSQL said no, in place of being away: invalid_password, invalid_authorization_specification. */
function isRefusal(error: unknown): boolean {
  return ['28P01', '28000'].includes((error as { code?: string }).code ?? '');
}

/** Logs in with what is published, again and again (G1). */
export async function tryLogins(policy: FleetPolicy, store: Publications, place: Place): Promise<void> {
  const { tally, harms, signal, target } = place;
  while (!signal.aborted) {
    const read = Date.now();
    const published = await store.read();
    if (published) {
      // Consumers may keep what they read for as long as the grace lasts.
      await sleep(Math.random() * GRACE_MS * 0.7, undefined, { signal }).catch(() => {});
      const client = new pg.Client(account(place, published));
      client.on('error', () => {});
      try {
        await client.connect();
        tally.logins += 1;
      } catch (error) {
        // What was read longer ago than the grace is not promised: this process may have been slow.
        const isInTime = policy.mayLeak
          ? await isStillPublished(store, published)
          : Date.now() - read < GRACE_MS;
        // What the failover has cost is judged by who looks at both logins.
        const isOurs = harms.touched(policy.name, read) || (target.failedOverAt ?? 0) > read - GRACE_MS;
        if (isRefusal(error) && isInTime && !isOurs) {
          tally.violation({
            guarantee: 'G1',
            policy: policy.name,
            rotation: published.version,
            seen: `${published.user} is published, and is refused`,
          });
        }
      } finally {
        await client.end().catch(() => {});
      }
    }
    await sleep(150, undefined, { signal }).catch(() => {});
  }
}

async function isStillPublished(store: Publications, { version }: Published): Promise<boolean> {
  return (await store.read())?.version === version;
}

/**
 * A consumer that holds sessions for some seconds: none may be cut while its drain has time left (G2). Some notice that
 * they are replaced and reconnect, when their transaction is over; others hold on until they are cut.
 */
export async function holdSessions(policy: FleetPolicy, store: Publications, place: Place): Promise<void> {
  const { signal, target } = place;
  while (!signal.aborted) {
    const published = store.latest;
    if (!published) {
      await sleep(200, undefined, { signal }).catch(() => {});
      continue;
    }
    const holdsOn = Math.random() < 0.3;
    const end = Date.now() + (holdsOn ? TIMEOUT_MS * 2 : TIMEOUT_MS / 2);
    const { outages } = target;
    const client = new pg.Client(account(place, published));
    client.on('error', () => {});
    try {
      await client.connect();
      while (Date.now() < end && !signal.aborted) {
        await client.query('BEGIN; SELECT pg_sleep(0.1); COMMIT');
        if (!holdsOn && !(await isStillPublished(store, published))) break;
      }
    } catch (error) {
      // admin_shutdown is what pg_terminate_backend says, and a server that is stopped.
      if ((error as { code?: string }).code === '57P01' && target.outages === outages && !target.isMoving) {
        await judgeCut(policy, store, { ...place, published, at: Date.now() });
      }
    } finally {
      await client.end().catch(() => {});
    }
    // One that is refused comes back, but not at once.
    await sleep(100, undefined, { signal }).catch(() => {});
  }
}

async function judgeCut(
  policy: FleetPolicy,
  store: Publications,
  { published, at, ledger, tally }: Place & { readonly published: Published; readonly at: number },
): Promise<void> {
  const instead = await store.read();
  const lastSeen = store.all().find(({ version }) => version === published.version)?.lastSeen ?? at;
  if (at >= lastSeen + TIMEOUT_MS) return;
  const ids = [published.version, ...(instead ? [instead.version] : [])];
  const isStill = instead?.version === published.version;
  if (!isStill && policy.mayLeak && (await ledger.hasEmergency(ids))) return;
  tally.violation({
    guarantee: 'G2',
    policy: policy.name,
    rotation: instead?.version,
    seen: isStill
      ? `a session of ${published.user} was cut though it is published`
      : `a session of ${published.user} was cut at most ${at - lastSeen} ms after it was replaced, before the deadline of ${TIMEOUT_MS} ms`,
  });
}

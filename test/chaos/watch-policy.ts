import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ServerAddress } from '../support/scenario.ts';
import { type FleetPolicy, GRACE_MS, type Published, TIMEOUT_MS } from './fleet.ts';
import type { Tally } from './tally.ts';

type Watched = Tally & { violation(text: string): void };

interface Place {
  readonly server: ServerAddress;
  readonly database: string;
}

function account({ server, database }: Place, { user, password }: Published): pg.ClientConfig {
  return { host: server.host, port: server.port, database, user, password, connectionTimeoutMillis: 3_000 };
}

/** Whether PostgreSQL said no, in place of being away: invalid_password, invalid_authorization_specification. */
function isRefusal(error: unknown): boolean {
  return ['28P01', '28000'].includes((error as { code?: string }).code ?? '');
}

/** Logs in with what is published, again and again (G1). Collects every version that it sees. */
export async function tryLogins(
  policy: FleetPolicy,
  place: Place,
  tally: Watched,
  { seen, signal }: { readonly seen: Map<string, Published>; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const read = Date.now();
    const published = await policy.read();
    if (published) {
      remember(policy, published, seen, tally);
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
          ? await isStillPublished(policy, published)
          : Date.now() - read < GRACE_MS;
        if (isRefusal(error) && isInTime) {
          tally.violation(
            `G1: ${policy.name} publishes ${published.user} (${published.version}), which is refused`,
          );
        }
      } finally {
        await client.end().catch(() => {});
      }
    }
    await sleep(150, undefined, { signal }).catch(() => {});
  }
}

async function isStillPublished(policy: FleetPolicy, { version }: Published): Promise<boolean> {
  return (await policy.read())?.version === version;
}

function remember(
  { name }: FleetPolicy,
  published: Published,
  seen: Map<string, Published>,
  tally: Watched,
): void {
  const before = seen.get(published.version);
  if (before && before.password !== published.password) {
    tally.violation(`G4: ${name} has two passwords under ${published.version}`);
  }
  seen.set(published.version, published);
}

/** A consumer that holds sessions for some seconds: none may be cut while its drain has time left (G2). */
export async function holdSessions(
  policy: FleetPolicy,
  place: Place,
  tally: Watched,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const published = await policy.read();
    if (!published) {
      await sleep(200, undefined, { signal }).catch(() => {});
      continue;
    }
    let replacedAt: number | undefined;
    const client = new pg.Client(account(place, published));
    client.on('error', () => {});
    try {
      await client.connect();
      const end = Date.now() + TIMEOUT_MS / 2;
      while (Date.now() < end && !signal.aborted) {
        await client.query('BEGIN; SELECT pg_sleep(0.1); COMMIT');
        if (!(await isStillPublished(policy, published))) replacedAt ??= Date.now();
        // A reader that sees that it is replaced reconnects, when its transaction is over.
        if (replacedAt !== undefined) break;
      }
    } catch (error) {
      // admin_shutdown is what pg_terminate_backend says; an immediate stop of the server says crash_shutdown.
      if ((error as { code?: string }).code === '57P01' && replacedAt === undefined) {
        if (await isStillPublished(policy, published))
          tally.violation(`G2: a session of ${policy.name} was cut though ${published.user} is published`);
      }
    } finally {
      await client.end().catch(() => {});
    }
  }
}

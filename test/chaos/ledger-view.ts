import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Tally } from './tally.ts';

/** An open rotation, and the last line of its history. */
export interface OpenRotation {
  readonly id: string;
  readonly policy: string;
  readonly reason: string;
  readonly incoming: string | null;
  readonly outgoing: string | null;
  readonly isPublished: boolean;
  readonly isGoingBack: boolean;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly lastEvent: string | null;
  readonly lastStep: string | null;
  readonly lastKind: string | null;
}

/** The ledger as an auditor reads it, past keyturn. The state database may be away: then a question has no answer. */
export class LedgerView implements AsyncDisposable {
  readonly #pool: pg.Pool;

  constructor(stateUrl: string) {
    this.#pool = new pg.Pool({
      connectionString: stateUrl,
      max: 2,
      connectionTimeoutMillis: 5_000,
      query_timeout: 20_000,
    });
    this.#pool.on('error', () => {});
  }

  async ask(sql: string, values: readonly unknown[] = []): Promise<pg.QueryResultRow[] | undefined> {
    try {
      return (await this.#pool.query(sql, [...values])).rows;
    } catch {
      return undefined;
    }
  }

  /** Asks until there is an answer. */
  async insist(sql: string, values: readonly unknown[] = []): Promise<pg.QueryResultRow[]> {
    for (;;) {
      const rows = await this.ask(sql, values);
      if (rows) return rows;
      await sleep(300);
    }
  }

  async open(): Promise<OpenRotation[]> {
    const rows = await this.ask(
      `SELECT rotation.id, policy, reason, incoming, outgoing, published_at IS NOT NULL AS "isPublished",
              rolled_back_by IS NOT NULL AS "isGoingBack", attempts, coalesce(last_fault::text, last_error) AS "lastError",
              event.id::text AS "lastEvent", event.step AS "lastStep", event.kind AS "lastKind"
         FROM keyturn.rotation
         LEFT JOIN LATERAL (SELECT id, step, kind FROM keyturn.event
                             WHERE event.rotation = rotation.id ORDER BY id DESC LIMIT 1) AS event ON true
        WHERE status = 'open'`,
    );
    return (rows ?? []) as OpenRotation[];
  }

  /** Whether any of these rotations is an emergency, which has no grace. */
  async hasEmergency(ids: readonly string[]): Promise<boolean> {
    const rows = await this.insist(
      `SELECT FROM keyturn.rotation WHERE reason = 'emergency' AND id::text = ANY ($1)`,
      [ids],
    );
    return rows.length > 0;
  }

  /** What the ledger says is wrong with a policy now; undefined: nothing. */
  async complaint(policy: string): Promise<string | undefined> {
    const rows = await this.ask(
      `SELECT status, attempts, coalesce(last_fault::text, last_error) AS error FROM keyturn.rotation
        WHERE policy = $1 ORDER BY (status = 'open') DESC, requested_at DESC LIMIT 1`,
      [policy],
    );
    const [last] = rows ?? [];
    if (!last || last.status === 'done' || !last.error) return undefined;
    return `${last.status}: ${last.error}`;
  }

  /** The latest lines of a policy's history, as text. */
  async history(policy: string): Promise<string[]> {
    const rows = await this.insist(
      `SELECT concat_ws(' ', to_char(at AT TIME ZONE 'UTC', 'HH24:MI:SS.MS'), rotation, step, kind, coalesce(fact::text, detail)) AS line
         FROM (SELECT event.* FROM keyturn.event JOIN keyturn.rotation ON rotation.id = event.rotation
                WHERE policy = $1 ORDER BY event.id DESC LIMIT 60) AS latest ORDER BY id`,
      [policy],
    );
    return rows.map(({ line }) => line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.end();
  }
}

const FUTURE_MS = 60_000;

/** Checks that a rotation that has ended stays as it is (G4), and that no instant in the ledger lies ahead (G6). */
export async function watchHistory(ledger: LedgerView, tally: Tally, signal: AbortSignal): Promise<void> {
  const closed = new Map<string, string>();
  const ahead = new Set<string>();
  while (!signal.aborted) {
    const rows = await ledger.ask(
      // What it left staged is discarded after its end.
      `SELECT id, policy, status, (to_jsonb(rotation) - 'left_staged')::text AS text,
              (extract(epoch FROM greatest(requested_at, slot, published_at, finished_at) - now()) * 1000)::float8 AS ahead
         FROM keyturn.rotation`,
    );
    for (const { id, policy, status, text, ahead: by } of rows ?? []) {
      if (by > FUTURE_MS && !ahead.has(id)) {
        ahead.add(id);
        tally.violation({
          guarantee: 'G6',
          policy,
          rotation: id,
          seen: `the ledger has an instant that is ${Math.round(by / 1_000)} s ahead of the state database's clock`,
        });
      }
      if (status === 'open') continue;
      const before = closed.get(id);
      if (before !== undefined && before !== text) {
        tally.violation({
          guarantee: 'G4',
          policy,
          rotation: id,
          seen: `it was over and changed: ${differences(before, text)}`,
        });
      }
      closed.set(id, text);
    }
    await sleep(700, undefined, { signal }).catch(() => {});
  }
}

function differences(before: string, after: string): string {
  const [one, other] = [before, after].map((text) => JSON.parse(text) as Record<string, unknown>);
  return Object.keys(other ?? {})
    .map((key) => [key, JSON.stringify(one?.[key]), JSON.stringify(other?.[key])])
    .filter(([, was, is]) => was !== is)
    .map(([key, was, is]) => `${key} was ${was} and is ${is}`)
    .join(', ');
}

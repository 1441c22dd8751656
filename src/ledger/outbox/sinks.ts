import { type LedgerContext, nowOf } from '../ledger-context.ts';

/** Which events a sink gets. Left out: all. */
export interface SinkFilter {
  readonly name: string;
  readonly policies?: readonly string[];
  readonly types?: readonly string[];
}

/** A sink that no worker has had for so long is forgotten, in milliseconds. */
const FORGOTTEN_MS = 24 * 3_600_000;
const ROWS = 10_000;

/** Registers sinks: what happens from now on is for them, too. */
export async function keepSinks(ledger: LedgerContext, sinks: readonly SinkFilter[]): Promise<void> {
  if (sinks.length === 0) return;
  // As JSON, because an array of arrays must be rectangular in PostgreSQL. In one order, so that
  // two workers do not wait for each other.
  await ledger.pool.query(
    `INSERT INTO keyturn.sink AS kept (name, policies, types, seen_at)
     SELECT given.name, given.policies, given.types, $2
       FROM pg_catalog.jsonb_to_recordset($1::pg_catalog.jsonb)
            AS given (name pg_catalog.text, policies pg_catalog.text[], types pg_catalog.text[])
      ORDER BY given.name
     ON CONFLICT (name) DO UPDATE
        SET policies = EXCLUDED.policies, types = EXCLUDED.types, seen_at = EXCLUDED.seen_at`,
    [JSON.stringify(sinks.map(({ name, policies, types }) => ({ name, policies, types }))), nowOf(ledger)],
  );
}

/**
 * Forgets sinks that were removed from every configuration, and what waits for them: one bounded
 * step.
 */
export async function forgetSinks(ledger: LedgerContext): Promise<void> {
  const before = new Date(nowOf(ledger).getTime() - FORGOTTEN_MS);
  await ledger.pool.query(
    `WITH gone AS (DELETE FROM keyturn.sink WHERE seen_at < $1)
     DELETE FROM keyturn.delivery WHERE (sink, event) IN (
       SELECT old.sink, old.event FROM keyturn.delivery AS old
        WHERE old.status = 'pending' AND EXISTS (
          SELECT FROM keyturn.policy_event AS event WHERE event.number = old.event AND event.at < $1)
          AND NOT EXISTS (SELECT FROM keyturn.sink WHERE sink.name = old.sink AND sink.seen_at >= $1)
        LIMIT ${ROWS})`,
    [before],
  );
}

import type { Fact } from '../facts/fact.ts';
import { append, type Expected, firstInstant, NOW, valuesFor } from './append-history.ts';
import type { Requester } from './audit/requester.ts';
import { factJson } from './fact-json.ts';
import type { LedgerContext } from './ledger-context.ts';
import type { Mark, Rotation, StepName } from './rotation.ts';

/** What a step waits for, and what is recorded with it. */
export interface Waiting {
  readonly fact: Fact;
  readonly marks?: readonly Mark[];
}

/** One line of the history of a step. */
export interface Line {
  readonly step: StepName;
  readonly kind: 'started' | 'done' | 'waiting';
  /** Left out: now. */
  readonly at?: Date;
  /** What it waits for. */
  readonly fact?: Fact;
}

/** What changes of a rotation together with the lines of its history. */
export interface Changes {
  readonly marks?: readonly Mark[];
  /** The resolved logins; those recorded first stay. */
  readonly logins?: { readonly incoming: string; readonly outgoing: string | null };
  /**
   * Everything is published; the first instant stays. What replicas lack is counted anew from here.
   */
  readonly published?: boolean;
  /**
   * The rotation ends. `fact` says why; left out, the last failure stays. `cancelledBy`: who ended
   * it by hand.
   */
  readonly end?: {
    readonly status: 'done' | 'failed';
    readonly fact?: Fact;
    readonly cancelledBy?: Requester;
  };
}

const MARK_COLUMNS: Readonly<Record<Mark, string>> = {
  replicasBehindSince: 'replicas_behind_since',
  outgoingShutAt: 'outgoing_shut_at',
  lastLookAt: 'last_look_at',
};

/** In milliseconds, as JavaScript counts: what is read back must be what is there. */
const DATABASE_NOW = "pg_catalog.date_trunc('milliseconds'::pg_catalog.text, pg_catalog.clock_timestamp())";

/** A step that gets on has no failures in a row any more. */
const SUCCEEDED = [
  ['attempts', '0'],
  ['last_error', 'NULL'],
  ['last_fault', 'NULL'],
] as const;

/** Appends lines to the history, and changes what goes with them, in one statement. */
export async function record(
  ledger: LedgerContext,
  rotation: Expected,
  { lines, changes = {} }: { readonly lines: readonly Line[]; readonly changes?: Changes },
): Promise<Rotation> {
  const values = valuesFor(ledger, rotation);
  const { marks = [], logins, published = false, end } = changes;
  const assignments = new Map(marks.map((mark) => firstInstant(MARK_COLUMNS[mark])));
  if (lines.some(({ kind }) => kind !== 'started')) {
    for (const [column, value] of SUCCEEDED) assignments.set(column, value);
  }
  if (logins) {
    assignments.set('incoming', `coalesce(incoming, ${values.add(logins.incoming)})`);
    assignments.set('outgoing', `coalesce(outgoing, ${values.add(logins.outgoing)})`);
  }
  if (published) {
    // By the database's own clock, if ours follows it: ours may be a little behind, and the grace
    // counts from here.
    const now = ledger.clock.followsDatabase ? DATABASE_NOW : NOW;
    assignments.set('published_at', `coalesce(published_at, ${now})`);
    assignments.set(
      'replicas_behind_since',
      'CASE WHEN published_at IS NULL THEN NULL ELSE replicas_behind_since END',
    );
  }
  if (end) {
    assignments.set('status', values.add(end.status));
    assignments.set('finished_at', NOW);
    // Until its version is discarded, which whoever ends it may not live to see.
    if (end.status === 'failed') assignments.set('left_staged', 'true');
    if (end.fact) assignments.set('last_fault', values.add(factJson(end.fact)));
  }
  const cancelledBy = end?.cancelledBy;
  return (await append(ledger, rotation, { lines, assignments, values, cancelledBy })).rotation;
}

export async function warn(
  ledger: LedgerContext,
  rotation: Expected,
  line: { readonly step: StepName; readonly fact: Fact; readonly subject: string },
): Promise<boolean> {
  const values = valuesFor(ledger, rotation);
  const lines = [{ ...line, kind: 'warning' as const }];
  return (await append(ledger, rotation, { lines, assignments: new Map(), values })).isNew;
}

export async function failed(
  ledger: LedgerContext,
  rotation: Expected,
  line: { readonly step: StepName; readonly fact: Fact },
): Promise<Rotation> {
  const values = valuesFor(ledger, rotation);
  const assignments = new Map([
    ['attempts', 'attempts + 1'],
    ['last_error', 'NULL'],
    ['last_fault', values.add(factJson(line.fact))],
  ]);
  const lines = [{ ...line, kind: 'failed' as const }];
  return (await append(ledger, rotation, { lines, assignments, values })).rotation;
}

import { createHash } from 'node:crypto';
import type { Fact } from '../facts/fact.ts';
import { factJson } from './fact-json.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';
import type { Event, Mark, Rotation, StepName } from './rotation.ts';
import { ROTATION_COLUMNS, type RotationRow, toRotation } from './rotation-row.ts';
import { superseded } from './superseded.ts';

/**
 * The state in which a writer last saw a rotation: open, and on its way forward or back. Nothing is
 * written if the ledger has another state.
 */
export type Expected = Pick<Rotation, 'id' | 'rolledBackBy'>;

/** What a step waits for, and what is recorded with it. */
export interface Waiting {
  readonly fact: Fact;
  readonly marks?: readonly Mark[];
}

const MARK_COLUMNS: Readonly<Record<Mark, string>> = {
  replicasBehindSince: 'replicas_behind_since',
  outgoingShutAt: 'outgoing_shut_at',
  lastLookAt: 'last_look_at',
};

/** Steps of which a later run must know whether anybody began them. */
const BEGUN_COLUMNS: Readonly<Partial<Record<StepName, string>>> = {
  set: 'set_begun_at',
  publish: 'publish_begun_at',
};

/** In milliseconds, as JavaScript counts: what is read back must be what is there. */
const DATABASE_NOW = "pg_catalog.date_trunc('milliseconds'::pg_catalog.text, pg_catalog.clock_timestamp())";

/** Longer subjects are hashed: an index takes no more than 2704 bytes of a row. */
const LONGEST_SUBJECT = 200;

export async function record(
  ledger: LedgerContext,
  rotation: Expected,
  line: {
    readonly step: StepName;
    readonly kind: 'started' | 'done' | 'waiting';
    readonly wait?: Waiting | undefined;
  },
): Promise<void> {
  const { kind, wait } = line;
  const marks = (wait?.marks ?? []).map((mark) => firstInstant(MARK_COLUMNS[mark]));
  const succeeded = kind === 'started' ? [] : ['attempts = 0', 'last_error = NULL', 'last_fault = NULL'];
  await append(ledger, rotation, { ...line, fact: wait?.fact, assignments: [...marks, ...succeeded] });
}

export async function warn(
  ledger: LedgerContext,
  rotation: Expected,
  line: { readonly step: StepName; readonly fact: Fact; readonly subject: string },
): Promise<boolean> {
  const { isNew } = await append(ledger, rotation, { ...line, kind: 'warning', assignments: [] });
  return isNew;
}

export async function failed(
  ledger: LedgerContext,
  rotation: Expected,
  line: { readonly step: StepName; readonly fact: Fact },
): Promise<Rotation> {
  const assignments = ['attempts = attempts + 1', 'last_error = NULL', 'last_fault = $5'];
  return (await append(ledger, rotation, { ...line, kind: 'failed', assignments })).rotation;
}

/** The first instant stays. $2 is now. */
function firstInstant(column: string): string {
  return `${column} = coalesce(${column}, $2)`;
}

/** One line of the history, and what changes with it, in one statement. */
async function append(
  ledger: LedgerContext,
  { id, rolledBackBy }: Expected,
  line: Pick<Event, 'step' | 'kind'> & {
    readonly fact?: Fact | undefined;
    readonly subject?: string;
    readonly assignments: readonly string[];
  },
): Promise<{ readonly rotation: Rotation; readonly isNew: boolean }> {
  const { step, kind, fact, subject = '' } = line;
  const begun = BEGUN_COLUMNS[step];
  const assignments = [...line.assignments, ...(begun === undefined ? [] : [firstInstant(begun)])];
  const isExpected = `id = $1 AND status = 'open' AND rolled_back_by IS NOT DISTINCT FROM $6::pg_catalog.text`;
  // The row is locked, so that nobody ends the rotation before the line is written.
  const expected =
    assignments.length === 0
      ? `SELECT * FROM keyturn.rotation WHERE ${isExpected} FOR SHARE`
      : `UPDATE keyturn.rotation SET ${assignments.join(', ')} WHERE ${isExpected} RETURNING *`;
  const { rows } = await ledger.pool.query<RotationRow & { readonly isNew: boolean }>(
    `WITH given AS (
       SELECT $2::pg_catalog.timestamptz AS at, $3::pg_catalog.text AS step, $4::pg_catalog.text AS kind,
              $5::pg_catalog.jsonb AS fact, $7::pg_catalog.text AS subject),
     expected AS MATERIALIZED (${expected}),
     appended AS (
       INSERT INTO keyturn.event (rotation, at, step, kind, fact, subject, back)
       SELECT expected.id, given.at, given.step, given.kind, given.fact, given.subject, expected.rolled_back_to IS NOT NULL
         FROM expected CROSS JOIN given
        WHERE NOT EXISTS (
          SELECT FROM (SELECT * FROM keyturn.event WHERE rotation = $1 ORDER BY id DESC LIMIT 1) AS latest
           WHERE latest.kind = 'waiting' AND latest.kind = given.kind AND latest.step = given.step
             AND latest.detail IS NULL AND ${isSame('latest.fact', 'given.fact')})
       ON CONFLICT DO NOTHING RETURNING id)
     SELECT EXISTS (SELECT FROM appended) AS "isNew", ${ROTATION_COLUMNS} FROM expected AS rotation`,
    [id, nowOf(ledger), step, kind, factJson(fact), rolledBackBy, bounded(subject)],
  );
  const [row] = rows;
  if (!row) throw superseded(id);
  const { isNew, ...rest } = row;
  return { rotation: toRotation(rest as RotationRow), isNew };
}

/** Whether two facts have the same code and parameters, in SQL. */
function isSame(one: string, other: string): string {
  const part = (fact: string, key: string) => `(${fact} OPERATOR(pg_catalog.->) '${key}'::pg_catalog.text)`;
  return ['code', 'params']
    .map((key) => `${part(one, key)} IS NOT DISTINCT FROM ${part(other, key)}`)
    .join(' AND ');
}

function bounded(subject: string): string {
  const text = subject.replaceAll('\0', '\ufffd');
  if (text.length <= LONGEST_SUBJECT) return text;
  return createHash('sha256').update(text).digest('hex');
}

/** Records the resolved logins; those recorded first stay. */
export function freeze(
  ledger: LedgerContext,
  rotation: Expected,
  { incoming, outgoing }: { readonly incoming: string; readonly outgoing: string | null },
): Promise<Rotation> {
  return update(ledger, rotation, 'incoming = coalesce(incoming, $3), outgoing = coalesce(outgoing, $4)', [
    incoming,
    outgoing,
  ]);
}

/**
 * Records that everything is published; the first instant stays. What replicas lack is counted anew
 * from here.
 */
export function published(ledger: LedgerContext, rotation: Expected): Promise<Rotation> {
  // By the database's own clock, if ours follows it: ours may be a little behind, and the grace
  // counts from here.
  const instant = `coalesce(published_at, $3::pg_catalog.timestamptz, ${DATABASE_NOW})`;
  const behind = 'CASE WHEN published_at IS NULL THEN NULL ELSE replicas_behind_since END';
  return update(ledger, rotation, `published_at = ${instant}, replicas_behind_since = ${behind}`, [
    ledger.clock.followsDatabase ? null : nowOf(ledger),
  ]);
}

export function finish(
  ledger: LedgerContext,
  rotation: Expected,
  { status, fact }: { readonly status: 'done' | 'failed'; readonly fact?: Fact | undefined },
): Promise<Rotation> {
  const assignments =
    'status = $3, finished_at = $4, last_fault = coalesce($5::pg_catalog.jsonb, last_fault)';
  return update(ledger, rotation, assignments, [status, nowOf(ledger), factJson(fact)]);
}

async function update(
  { pool }: LedgerContext,
  { id, rolledBackBy }: Expected,
  assignments: string,
  values: readonly unknown[],
): Promise<Rotation> {
  const { rows } = await pool.query<RotationRow>(
    `UPDATE keyturn.rotation SET ${assignments}
      WHERE id = $1 AND status = 'open' AND rolled_back_by IS NOT DISTINCT FROM $2::pg_catalog.text
      RETURNING ${ROTATION_COLUMNS}`,
    [id, rolledBackBy, ...values],
  );
  const [rotation] = rows.map(toRotation);
  if (!rotation) throw superseded(id);
  return rotation;
}

export async function replace(
  ledger: LedgerContext,
  { id, rolledBackBy }: Expected,
  by: string,
): Promise<Rotation | undefined> {
  const { rows } = await ledger.pool.query<RotationRow>(
    `WITH ended AS (
       UPDATE keyturn.rotation SET status = 'failed', finished_at = $3
        WHERE id = $1 AND status = 'open' AND rolled_back_by IS NOT DISTINCT FROM $4::pg_catalog.text RETURNING *)
     INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, slot, adopt, replaces)
     SELECT $2, policy, reason, requested_by, $3, slot, adopt, id FROM ended
     RETURNING ${ROTATION_COLUMNS}`,
    [id, by, nowOf(ledger), rolledBackBy],
  );
  return rows.map(toRotation)[0];
}

export async function escalate({ pool }: LedgerContext, id: string): Promise<Rotation | undefined> {
  const { rows } = await pool.query<RotationRow>(
    `UPDATE keyturn.rotation SET reason = 'emergency' WHERE id = $1 AND status = 'open' AND rolled_back_by IS NULL
      RETURNING ${ROTATION_COLUMNS}`,
    [id],
  );
  return rows.map(toRotation)[0];
}

export async function rollBack(
  { pool }: LedgerContext,
  id: string,
  { by, to }: { readonly by: string; readonly to: string },
): Promise<Rotation | undefined> {
  // Its deadline counts from when the old version is published again, and what revoke found out
  // concerns the other login.
  const { rows } = await pool.query<RotationRow>(
    `UPDATE keyturn.rotation SET rolled_back_by = $2, rolled_back_to = $3, published_at = NULL,
            replicas_behind_since = NULL, outgoing_shut_at = NULL, last_look_at = NULL
      WHERE id = $1 AND status = 'open' AND rolled_back_by IS NULL RETURNING ${ROTATION_COLUMNS}`,
    [id, by, to],
  );
  return rows.map(toRotation)[0];
}

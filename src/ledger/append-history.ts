import { createHash } from 'node:crypto';
import type { Fact } from '../facts/fact.ts';
import { prepared } from '../postgres/connection/prepared.ts';
import { actionDone } from './audit/actions.ts';
import { type Requester, requesterValues } from './audit/requester.ts';
import { factJson } from './fact-json.ts';
import { type LedgerContext, nowOf } from './ledger-context.ts';
import type { Event, Rotation, StepName } from './rotation.ts';
import { ROTATION_COLUMNS, type RotationRow, toRotation } from './rotation-row.ts';
import { superseded } from './superseded.ts';

/**
 * The state in which a writer last saw a rotation: open, and on its way forward or back. Nothing is
 * written if the ledger has another state.
 */
export type Expected = Pick<Rotation, 'id' | 'rolledBackBy'>;

/** Steps of which a later run must know whether anybody began them. */
const BEGUN_COLUMNS: Readonly<Partial<Record<StepName, string>>> = {
  set: 'set_begun_at',
  publish: 'publish_begun_at',
};

/** By the clock that the lines have, too. The first three parameters are the same everywhere. */
export const NOW = '$2::pg_catalog.timestamptz';
/** Longer subjects are hashed: an index takes no more than 2704 bytes of a row. */
const LONGEST_SUBJECT = 200;

/** The column and its new value: the first instant stays. */
export function firstInstant(column: string): readonly [column: string, value: string] {
  return [column, `coalesce(${column}, ${NOW})`];
}

/** The parameters of a statement. */
class Values {
  readonly all: unknown[];

  constructor(first: readonly unknown[]) {
    this.all = [...first];
  }

  /** Adds a value. Returns what stands for it in the statement. */
  add(value: unknown): string {
    return `$${this.all.push(value)}`;
  }
}

/** The parameters that come first in every statement: whose, when, and in which state. */
export function valuesFor(ledger: LedgerContext, { id, rolledBackBy }: Expected): Values {
  return new Values([id, nowOf(ledger), rolledBackBy]);
}

interface Appended {
  readonly lines: readonly (Pick<Event, 'step' | 'kind'> & {
    /** Left out: now. */
    readonly at?: Date;
    readonly fact?: Fact;
    readonly subject?: string;
  })[];
  /** The new value of each column that changes, in SQL. */
  readonly assignments: Map<string, string>;
  readonly values: Values;
  /** Who ends the rotation by hand. */
  readonly cancelledBy?: Requester | undefined;
}

/** Lines of the history, and what changes with them, in one statement. */
export async function append(
  ledger: LedgerContext,
  rotation: Expected,
  { lines, assignments, values, cancelledBy }: Appended,
): Promise<{ readonly rotation: Rotation; readonly isNew: boolean }> {
  for (const { step } of lines) {
    const begun = BEGUN_COLUMNS[step];
    if (begun !== undefined) assignments.set(...firstInstant(begun));
  }
  const isExpected = `id = $1 AND status = 'open' AND rolled_back_by IS NOT DISTINCT FROM $3::pg_catalog.text`;
  const changes = [...assignments].map(([column, value]) => `${column} = ${value}`).join(', ');
  // The row is locked, so that nobody ends the rotation before the lines are written.
  const expected =
    changes === ''
      ? `SELECT * FROM keyturn.rotation WHERE ${isExpected} FOR SHARE`
      : `UPDATE keyturn.rotation SET ${changes} WHERE ${isExpected} RETURNING *`;
  const { rows } = await ledger.pool.query<RotationRow & { readonly isNew: boolean }>(
    prepared(
      `WITH expected AS MATERIALIZED (${expected}),
       given AS (${given(lines, values)}),
       appended AS (
         INSERT INTO keyturn.event (rotation, at, step, kind, fact, subject, back)
         SELECT expected.id, given.at, given.step, given.kind, given.fact, given.subject, expected.rolled_back_to IS NOT NULL
           FROM expected CROSS JOIN given
          WHERE NOT EXISTS (
            SELECT FROM (SELECT * FROM keyturn.event WHERE rotation = $1 ORDER BY id DESC LIMIT 1) AS latest
             WHERE latest.kind = 'waiting' AND latest.kind = given.kind AND latest.step = given.step
               AND latest.detail IS NULL AND ${isSame('latest.fact', 'given.fact')})
          ORDER BY given.place
         ON CONFLICT DO NOTHING RETURNING id)${cancelledBy ? cancelled(cancelledBy, values) : ''}
       SELECT EXISTS (SELECT FROM appended) AS "isNew", ${ROTATION_COLUMNS} FROM expected AS rotation`,
      values.all,
    ),
  );
  const [row] = rows;
  if (!row) throw superseded(rotation.id);
  const { isNew, ...rest } = row;
  return { rotation: toRotation(rest as RotationRow), isNew };
}

/** Who ended the rotation by hand, as one more part of the statement. */
function cancelled(requester: Requester, values: Values): string {
  const who = requesterValues(requester).map((value) => values.add(value));
  const source = 'SELECT policy, id AS rotation FROM expected';
  return `, told AS (${actionDone('cancel', source, { now: NOW, who })})`;
}

/** The lines as rows, in SQL. */
function given(lines: Appended['lines'], values: Values): string {
  const columns = [
    `${values.add(lines.map(({ at }) => at ?? null))}::pg_catalog.timestamptz[]`,
    `${values.add(lines.map(({ step }) => step))}::pg_catalog.text[]`,
    `${values.add(lines.map(({ kind }) => kind))}::pg_catalog.text[]`,
    `${values.add(lines.map(({ fact }) => factJson(fact)))}::pg_catalog.text[]`,
    `${values.add(lines.map(({ subject = '' }) => bounded(subject)))}::pg_catalog.text[]`,
  ];
  return `SELECT coalesce(at, ${NOW}) AS at, step, kind, fact::pg_catalog.jsonb AS fact, subject, place
            FROM ROWS FROM (${columns.map((column) => `pg_catalog.unnest(${column})`).join(', ')})
                 WITH ORDINALITY AS line (at, step, kind, fact, subject, place)`;
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

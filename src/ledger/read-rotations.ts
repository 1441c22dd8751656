import type { QueryResultRow } from 'pg';
import { prepared } from '../postgres/connection/prepared.ts';
import { readFact } from './fact-json.ts';
import type { LedgerContext } from './ledger-context.ts';
import type { Event, Rotation } from './rotation.ts';
import { ROTATION_COLUMNS, type RotationRow, toRotation } from './rotation-row.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a token may be the id of a rotation. */
export function isRotationId(token: string): boolean {
  return UUID.test(token);
}

export async function findRotation({ pool }: LedgerContext, id: string): Promise<Rotation | undefined> {
  // A version that somebody else staged may have any token.
  if (!isRotationId(id)) return undefined;
  const { rows } = await pool.query<RotationRow>(
    prepared(`SELECT ${ROTATION_COLUMNS} FROM keyturn.rotation WHERE id = $1`, [id]),
  );
  return rows.map(toRotation)[0];
}

/** Every open rotation, or that of one policy. */
export async function openRotations({ pool }: LedgerContext, policy?: string): Promise<Rotation[]> {
  const { rows } = await pool.query<RotationRow>(
    `SELECT ${ROTATION_COLUMNS} FROM keyturn.rotation
      WHERE status = 'open' AND ($1::pg_catalog.text IS NULL OR policy = $1) ORDER BY requested_at`,
    [policy ?? null],
  );
  return rows.map(toRotation);
}

export interface RotationQuery {
  readonly policy?: string;
  /** When they were asked for, at the earliest. */
  readonly since?: Date;
  readonly limit: number;
}

export async function latestRotations(
  { pool }: LedgerContext,
  { policy, since, limit }: RotationQuery,
): Promise<Rotation[]> {
  const { rows } = await pool.query<RotationRow>(
    `SELECT ${ROTATION_COLUMNS} FROM keyturn.rotation
      WHERE ($1::pg_catalog.text IS NULL OR policy = $1)
        AND ($3::pg_catalog.timestamptz IS NULL OR requested_at >= $3) ORDER BY number DESC LIMIT $2`,
    [policy ?? null, limit, since ?? null],
  );
  return rows.map(toRotation);
}

/** A rotation, and its number: they count up in the order in which rotations were opened. */
export interface NumberedRotation {
  readonly number: string;
  readonly rotation: Rotation;
}

/** Those that were opened after the one with the number `after`, oldest first. */
export async function rotationPage(
  { pool }: LedgerContext,
  { policy, since, after, limit }: RotationQuery & { readonly after: string },
): Promise<NumberedRotation[]> {
  const { rows } = await pool.query<RotationRow & { readonly number: string }>(
    `SELECT rotation.number::pg_catalog.text AS number, ${ROTATION_COLUMNS} FROM keyturn.rotation
      WHERE ($1::pg_catalog.text IS NULL OR policy = $1) AND number > $2
        AND ($3::pg_catalog.timestamptz IS NULL OR requested_at >= $3) ORDER BY rotation.number LIMIT $4`,
    [policy ?? null, after, since ?? null, limit],
  );
  return rows.map(({ number, ...row }) => ({ number, rotation: toRotation(row as RotationRow) }));
}

/** The latest rotation of a policy, and when it last had one done. */
export interface PolicySummary {
  readonly last: Rotation;
  readonly lastDoneAt: Date | null;
}

export async function summarize(
  { pool }: LedgerContext,
  policies: readonly string[],
): Promise<Map<string, PolicySummary>> {
  const { rows } = await pool.query<RotationRow & { readonly lastDoneAt: Date | null }>(
    `SELECT last.*, (SELECT finished_at FROM keyturn.rotation WHERE policy = name AND status = 'done'
                      ORDER BY number DESC LIMIT 1) AS "lastDoneAt"
       FROM pg_catalog.unnest($1::pg_catalog.text[]) AS name
      CROSS JOIN LATERAL (SELECT ${ROTATION_COLUMNS} FROM keyturn.rotation
                           WHERE policy = name ORDER BY number DESC LIMIT 1) AS last`,
    [policies],
  );
  return new Map(
    rows.map(({ lastDoneAt, ...last }) => [
      last.policy,
      { last: toRotation(last as RotationRow), lastDoneAt },
    ]),
  );
}

interface EventRow extends QueryResultRow, Omit<Event, 'fact'> {
  readonly fact: unknown;
  /** What an earlier release wrote in its place. */
  readonly detail: string | null;
}

/** The lines of rotations; those of some kinds where `kinds` is given. */
export async function readEvents(
  { pool }: LedgerContext,
  rotations: readonly string[],
  kinds?: readonly Event['kind'][],
): Promise<Event[]> {
  const { rows } = await pool.query<EventRow>(
    prepared(
      `SELECT rotation, at, step, kind, fact, detail, back FROM keyturn.event
        WHERE rotation = ANY ($1) AND ($2::pg_catalog.text[] IS NULL OR kind = ANY ($2)) ORDER BY id`,
      [rotations, kinds ?? null],
    ),
  );
  return rows.map(({ detail, fact: stored, ...event }) => ({ ...event, fact: readFact(stored, detail) }));
}

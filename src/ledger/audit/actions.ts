import type { Fact } from '../../facts/fact.ts';
import { factJson, readFact } from '../fact-json.ts';
import { type LedgerContext, nowOf } from '../ledger-context.ts';
import { REQUESTER_COLUMNS, type Requester, requesterValues } from './requester.ts';

export type ActionKind =
  | 'pause'
  | 'resume'
  | 'rollback'
  | 'cancel'
  | 'emergency'
  | 'create'
  | 'repair'
  | 'drop'
  | 'restore'
  | 'attach'
  | 'detach';

/**
 * Something that somebody did about a policy, other than to ask for a rotation. `emergency` made
 * one of the open rotation. `create`, `repair`, `drop` and `restore` changed roles in the target,
 * `attach` and `detach` the destinations in the configuration.
 */
export interface Action extends Required<Requester> {
  /** Counts up in the order in which actions began. */
  readonly id: string;
  readonly policy: string;
  readonly kind: ActionKind;
  /** The rotation that it was about. */
  readonly rotation: string | null;
  readonly at: Date;
  readonly finishedAt: Date | null;
  /** `open`: it was begun, and nobody saw whether it was done. */
  readonly status: 'open' | 'done' | 'failed';
  /** What was done, or why not. */
  readonly fact: Fact | null;
}

/** An action outside the ledger, which cannot share a transaction with it. */
export interface BegunAction extends Requester {
  readonly policy: string;
  readonly kind: Extract<ActionKind, 'create' | 'repair' | 'drop' | 'restore' | 'attach' | 'detach'>;
}

export interface ActionOutcome {
  readonly status: Action['status'];
  readonly fact: Fact;
}

export interface ActionQuery {
  readonly policy?: string;
  readonly since?: Date;
  readonly limit: number;
}

/**
 * What people did about policies. What changes the ledger itself is written with that change, in
 * one statement.
 */
export interface Actions {
  /** Writes that an action begins, before it changes anything. Returns its id. */
  begin(action: BegunAction): Promise<string>;
  /** Writes what became of it. */
  end(id: string, outcome: ActionOutcome): Promise<void>;
  /** The latest, newest first, of one policy or of all. */
  latest(query: ActionQuery): Promise<Action[]>;
  /** Those that began after the action `after`, oldest first. */
  page(query: ActionQuery & { readonly after: string }): Promise<Action[]>;
}

export function actionsIn(ledger: LedgerContext): Actions {
  return {
    begin: (action) => begin(ledger, action),
    end: (id, outcome) => end(ledger, id, outcome),
    latest: (query) => read(ledger, 'DESC', { ...query, after: '0' }),
    page: (query) => read(ledger, 'ASC', query),
  };
}

/**
 * SQL that writes an action which is done with the statement that it is part of, for each row of
 * `source`. That has `policy` and `rotation`. The others are expressions.
 */
export function actionDone(
  kind: ActionKind,
  source: string,
  { now, who }: { readonly now: string; readonly who: readonly string[] },
): string {
  const [by, host, reason] = who.map((value) => `${value}::pg_catalog.text`);
  return `INSERT INTO keyturn.action (policy, kind, rotation, requested_by, requested_host, requested_reason,
                                      at, finished_at, status)
          SELECT source.policy, '${kind}', source.rotation, ${by}, ${host}, ${reason},
                 ${now}::pg_catalog.timestamptz, ${now}::pg_catalog.timestamptz, 'done'
            FROM (${source}) AS source`;
}

async function begin(ledger: LedgerContext, { policy, kind, ...requester }: BegunAction): Promise<string> {
  const { rows } = await ledger.pool.query<{ readonly id: string }>(
    `INSERT INTO keyturn.action (policy, kind, requested_by, requested_host, requested_reason, at, status)
     VALUES ($1, $2, $3, $4, $5, $6, 'open') RETURNING id::pg_catalog.text AS id`,
    [policy, kind, ...requesterValues(requester), nowOf(ledger)],
  );
  // An INSERT of one row returns it.
  return (rows[0] as (typeof rows)[number]).id;
}

async function end(ledger: LedgerContext, id: string, { status, fact }: ActionOutcome): Promise<void> {
  await ledger.pool.query(
    `UPDATE keyturn.action SET status = $2, finished_at = $3, fact = $4::pg_catalog.jsonb
      WHERE id = $1 AND status = 'open'`,
    [id, status, nowOf(ledger), factJson(fact)],
  );
}

async function read(
  { pool }: LedgerContext,
  order: 'ASC' | 'DESC',
  { policy, since, after, limit }: ActionQuery & { readonly after: string },
): Promise<Action[]> {
  const { rows } = await pool.query<Omit<Action, 'fact'> & { readonly fact: unknown }>(
    `SELECT id::pg_catalog.text AS id, policy, kind, rotation, at, finished_at AS "finishedAt", status, fact,
            ${REQUESTER_COLUMNS}
       FROM keyturn.action
      WHERE ($1::pg_catalog.text IS NULL OR policy = $1) AND id > $2
        AND ($3::pg_catalog.timestamptz IS NULL OR at >= $3)
      ORDER BY action.id ${order} LIMIT $4`,
    [policy ?? null, after, since ?? null, limit],
  );
  return rows.map(({ fact, ...action }) => ({ ...action, fact: readFact(fact, null) }));
}

import type pg from 'pg';
import type { Clock } from '../clock.ts';
import { type Identity, readIdentity } from '../postgres/connection/identity.ts';
import { isOpenToPublic } from '../postgres/roles/public-access.ts';
import { recount, reseePolicies } from './future.ts';
import { insertRotation, type RotationRequest } from './insert-rotation.ts';
import { isReadOnly } from './is-read-only.ts';
import { lastPublished, type Publication } from './last-published.ts';
import { migrateLedger } from './migrations.ts';
import { type Provisions, provisionsIn } from './provisions.ts';
import type { Event, Rotation, StepName } from './rotation.ts';
import { ROTATION_COLUMNS } from './rotation-columns.ts';
import { RotationOpenError } from './rotation-open-error.ts';
import { Superseded } from './superseded.ts';
import { readTimings, type Timing } from './timing.ts';

/** A rotation as its writer knows it: open, and on its way forward or back. Where the ledger has it otherwise, nothing is written. */
export type Expected = Pick<Rotation, 'id' | 'rolledBackBy'>;

/**
 * Rotations and their history, in the state database. What takes an {@link Expected} throws Superseded, and writes
 * nothing, when the rotation was ended or turned round meanwhile: a worker that was stopped and wakes up changes nothing.
 */
export interface Ledger {
  /**
   * Opens a rotation. Throws RotationOpenError while another of the policy is open; returns undefined when the
   * slot has had its rotation already, or another has ended since `decidedOn` was read.
   */
  request(request: RotationRequest): Promise<Rotation | undefined>;
  find(id: string): Promise<Rotation | undefined>;
  /** Every open rotation, or that of one policy. */
  open(policy?: string): Promise<Rotation[]>;
  /** What the policy's latest rotation that published anything, and is over, has published. */
  lastPublished(policy: string): Promise<Publication | undefined>;
  /** The latest rotations, newest first, of one policy or of all. */
  latest(options: { readonly policy?: string; readonly limit: number }): Promise<Rotation[]>;
  /** The latest rotation of each of these policies that has one, and when each last had one done. */
  summary(
    policies: readonly string[],
  ): Promise<Map<string, { readonly last: Rotation; readonly lastDoneAt: Date | null }>>;
  timing(policy: string): Promise<Timing>;
  /** The timing of each of these policies; of one that was never seen, as though it were first seen now. */
  timings(policies: readonly string[]): Promise<Map<string, Timing>>;
  /** Records that a worker has these policies, and since when: the first instant stays. */
  see(policies: readonly string[]): Promise<void>;
  /** Holds back a policy's schedule. Returns whether it was not paused before; who paused it first stays. */
  pause(policy: string, by: string): Promise<boolean>;
  /** Lets a policy's schedule go on. Returns whether it was paused. */
  resume(policy: string): Promise<boolean>;
  events(rotations: readonly string[]): Promise<Event[]>;
  /** Records the resolved logins; those recorded first stay. */
  freeze(
    rotation: Expected,
    logins: { readonly incoming: string; readonly outgoing: string | null },
  ): Promise<Rotation>;
  /** Records that everything is published; the first instant stays. */
  published(rotation: Expected): Promise<Rotation>;
  /** Counts an open rotation's instants that lie in the future from now on; undefined when it has none. */
  recount(id: string): Promise<Rotation | undefined>;
  /**
   * Appends to the history. Each step has one `started` and one `done`; `waiting` is kept only where it says
   * something new, so that a long drain is a few lines and not a line a poll.
   */
  record(
    rotation: Expected,
    step: StepName,
    kind: 'started' | 'done' | 'waiting',
    detail?: string,
  ): Promise<void>;
  /** Appends what stops nothing and yet must be told. Returns whether the rotation did not have it already. */
  warn(rotation: Expected, step: StepName, text: string): Promise<boolean>;
  /** Counts a failure and appends it to the history. */
  failed(rotation: Expected, step: StepName, error: string): Promise<Rotation>;
  finish(rotation: Expected, status: 'done' | 'failed', error?: string): Promise<Rotation>;
  /**
   * Ends an open rotation as failed and opens one like it in its place, at one instant; undefined when it was not open
   * any more.
   */
  replace(rotation: Expected, by: string): Promise<Rotation | undefined>;
  /** Makes an open rotation an emergency: its drain is over. */
  escalate(id: string): Promise<Rotation | undefined>;
  /** Turns an open rotation round; undefined when it is not open any more, or is on its way back already. */
  rollBack(id: string, back: { readonly by: string; readonly to: string }): Promise<Rotation | undefined>;
  /** As whom and where it is kept. */
  identity(): Promise<Identity>;
  /** Whether nothing can be written there. */
  isReadOnly(): Promise<boolean>;
  /** The state database, where every login of its server may connect to it; undefined where not. */
  openToPublic(): Promise<string | undefined>;
  /** What was done to the roles of policies. */
  readonly provisions: Provisions;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** In milliseconds, as JavaScript counts: what is read back must be what is there. */
const DATABASE_NOW = "pg_catalog.date_trunc('milliseconds'::pg_catalog.text, pg_catalog.clock_timestamp())";

/** Opens the ledger in a database, bringing its tables up to date first. The pool stays the caller's. */
export async function openLedger(pool: pg.Pool, clock: Clock): Promise<Ledger> {
  await migrateLedger(pool);
  const now = () => new Date(clock.now());

  async function update(
    { id, rolledBackBy }: Expected,
    assignments: string,
    values: unknown[] = [],
  ): Promise<Rotation> {
    const { rows } = await pool.query(
      `UPDATE keyturn.rotation SET ${assignments}
        WHERE id = $1 AND status = 'open' AND rolled_back_by IS NOT DISTINCT FROM $2::pg_catalog.text
        RETURNING ${ROTATION_COLUMNS}`,
      [id, rolledBackBy, ...values],
    );
    if (!rows[0]) throw new Superseded(id);
    return rows[0];
  }

  async function openRotations(policy?: string): Promise<Rotation[]> {
    const { rows } = await pool.query(
      `SELECT ${ROTATION_COLUMNS} FROM keyturn.rotation
        WHERE status = 'open' AND ($1::pg_catalog.text IS NULL OR policy = $1) ORDER BY requested_at`,
      [policy ?? null],
    );
    return rows;
  }

  /** Returns whether the history did not have it already. */
  async function append(
    { id, rolledBackBy }: Expected,
    step: StepName,
    kind: Event['kind'],
    detail?: string,
  ): Promise<boolean> {
    // The row is locked, so that nobody ends the rotation between the question and the line.
    const { rows } = await pool.query(
      `WITH expected AS MATERIALIZED (
         SELECT rolled_back_to IS NOT NULL AS back FROM keyturn.rotation
          WHERE id = $1 AND status = 'open' AND rolled_back_by IS NOT DISTINCT FROM $6::pg_catalog.text FOR SHARE),
       appended AS (
       INSERT INTO keyturn.event (rotation, at, step, kind, detail, back)
       SELECT $1::pg_catalog.uuid, $2, $3::pg_catalog.text, $4::pg_catalog.text, $5::pg_catalog.text, back FROM expected
        WHERE NOT EXISTS (
          SELECT FROM (SELECT * FROM keyturn.event WHERE rotation = $1 ORDER BY id DESC LIMIT 1) AS latest
           WHERE latest.kind = 'waiting' AND latest.kind = $4 AND latest.step = $3 AND latest.detail IS NOT DISTINCT FROM $5)
       ON CONFLICT DO NOTHING RETURNING id)
       SELECT EXISTS (SELECT FROM expected) AS "isExpected", EXISTS (SELECT FROM appended) AS "isNew"`,
      [id, now(), step, kind, detail ?? null, rolledBackBy],
    );
    if (!rows[0].isExpected) throw new Superseded(id);
    return rows[0].isNew;
  }

  return {
    provisions: provisionsIn(pool, clock),
    async identity() {
      const client = await pool.connect();
      try {
        return await readIdentity(client);
      } finally {
        client.release();
      }
    },
    isReadOnly: () => isReadOnly(pool),
    async openToPublic() {
      if (!(await isOpenToPublic(pool))) return undefined;
      const { rows } = await pool.query('SELECT pg_catalog.current_database()::pg_catalog.text AS name');
      return rows[0].name;
    },
    async request(request) {
      try {
        return await insertRotation(pool, request, now());
      } catch (error) {
        if ((error as { constraint?: string }).constraint !== 'rotation_one_open') throw error;
        const { policy } = request;
        throw new RotationOpenError(policy, (await openRotations(policy))[0], { cause: error });
      }
    },
    async find(id) {
      // A version that somebody else staged may have any token.
      if (!UUID.test(id)) return undefined;
      const { rows } = await pool.query(`SELECT ${ROTATION_COLUMNS} FROM keyturn.rotation WHERE id = $1`, [
        id,
      ]);
      return rows[0];
    },
    open: openRotations,
    lastPublished: (policy) => lastPublished(pool, policy),
    async latest({ policy, limit }) {
      const { rows } = await pool.query(
        `SELECT ${ROTATION_COLUMNS} FROM keyturn.rotation
          WHERE $1::pg_catalog.text IS NULL OR policy = $1 ORDER BY number DESC LIMIT $2`,
        [policy ?? null, limit],
      );
      return rows;
    },
    async summary(policies) {
      const { rows } = await pool.query(
        `SELECT last.*, (SELECT finished_at FROM keyturn.rotation WHERE policy = name AND status = 'done'
                          ORDER BY number DESC LIMIT 1) AS "lastDoneAt"
           FROM pg_catalog.unnest($1::pg_catalog.text[]) AS name
          CROSS JOIN LATERAL (SELECT ${ROTATION_COLUMNS} FROM keyturn.rotation
                               WHERE policy = name ORDER BY number DESC LIMIT 1) AS last`,
        [policies],
      );
      return new Map(rows.map(({ lastDoneAt, ...last }) => [last.policy, { last, lastDoneAt }]));
    },
    async timing(policy) {
      const timing = (await readTimings(pool, [policy], now())).get(policy);
      if (!timing) throw new Error(`The ledger lost sight of the policy ${policy}`);
      return timing;
    },
    timings: (policies) => readTimings(pool, policies, now()),
    async see(policies) {
      await reseePolicies(pool, now());
      await pool.query(
        `INSERT INTO keyturn.policy (name, first_seen_at)
         SELECT name, $2 FROM pg_catalog.unnest($1::pg_catalog.text[]) AS seen (name)
          WHERE NOT EXISTS (SELECT FROM keyturn.policy AS known WHERE known.name = seen.name)
         ON CONFLICT DO NOTHING`,
        [policies, now()],
      );
    },
    async pause(policy, by) {
      const { rowCount } = await pool.query(
        `INSERT INTO keyturn.policy (name, first_seen_at, paused_at, paused_by) VALUES ($1, $2, $2, $3)
         ON CONFLICT (name) DO UPDATE SET paused_at = $2, paused_by = $3 WHERE policy.paused_at IS NULL`,
        [policy, now(), by],
      );
      return rowCount === 1;
    },
    async resume(policy) {
      const { rowCount } = await pool.query(
        'UPDATE keyturn.policy SET paused_at = NULL, paused_by = NULL WHERE name = $1 AND paused_at IS NOT NULL',
        [policy],
      );
      return rowCount === 1;
    },
    async events(rotations) {
      const { rows } = await pool.query(
        'SELECT rotation, at, step, kind, detail, back FROM keyturn.event WHERE rotation = ANY ($1) ORDER BY id',
        [rotations],
      );
      return rows;
    },
    freeze(rotation, { incoming, outgoing }) {
      return update(rotation, 'incoming = coalesce(incoming, $3), outgoing = coalesce(outgoing, $4)', [
        incoming,
        outgoing,
      ]);
    },
    published(rotation) {
      // By the database's own clock where ours follows it: what was measured may be behind, and the grace counts from here.
      const instant = `coalesce(published_at, $3::pg_catalog.timestamptz, ${DATABASE_NOW})`;
      return update(rotation, `published_at = ${instant}`, [clock.followsDatabase ? null : now()]);
    },
    recount: (id) => recount(pool, id, now()),
    async record(rotation, step, kind, detail) {
      await append(rotation, step, kind, detail);
      if (kind !== 'started') await update(rotation, 'attempts = 0, last_error = NULL');
    },
    warn(rotation, step, text) {
      return append(rotation, step, 'warning', text);
    },
    async failed(rotation, step, error) {
      await append(rotation, step, 'failed', error);
      return update(rotation, 'attempts = attempts + 1, last_error = $3', [error]);
    },
    finish(rotation, status, error) {
      const assignments = 'status = $3, finished_at = $4, last_error = coalesce($5, last_error)';
      return update(rotation, assignments, [status, now(), error ?? null]);
    },
    async replace({ id, rolledBackBy }, by) {
      const { rows } = await pool.query(
        `WITH ended AS (
           UPDATE keyturn.rotation SET status = 'failed', finished_at = $3
            WHERE id = $1 AND status = 'open' AND rolled_back_by IS NOT DISTINCT FROM $4::pg_catalog.text RETURNING *)
         INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, slot, adopt, replaces)
         SELECT $2, policy, reason, requested_by, $3, slot, adopt, id FROM ended
         RETURNING ${ROTATION_COLUMNS}`,
        [id, by, now(), rolledBackBy],
      );
      return rows[0];
    },
    async escalate(id) {
      const { rows } = await pool.query(
        `UPDATE keyturn.rotation SET reason = 'emergency' WHERE id = $1 AND status = 'open' AND rolled_back_by IS NULL
          RETURNING ${ROTATION_COLUMNS}`,
        [id],
      );
      return rows[0];
    },
    async rollBack(id, { by, to }) {
      // Its deadline counts from when the old version is published again.
      const { rows } = await pool.query(
        `UPDATE keyturn.rotation SET rolled_back_by = $2, rolled_back_to = $3, published_at = NULL
          WHERE id = $1 AND status = 'open' AND rolled_back_by IS NULL RETURNING ${ROTATION_COLUMNS}`,
        [id, by, to],
      );
      return rows[0];
    },
  };
}

import type pg from 'pg';
import type { Clock } from '../clock.ts';

/**
 * What was done to the roles of a policy: append-only, so the latest of a policy is what is meant
 * to be.
 */
export interface Provision {
  readonly policy: string;
  readonly kind: 'create' | 'repair' | 'drop' | 'restore';
  readonly connection: string;
  readonly logins: readonly [string, string];
  readonly owner: string | null;
  /** The level of access; null where privileges were left as they were. */
  readonly access: string | null;
  readonly schemas: readonly string[];
  /** Roles that did not exist before. */
  readonly made: readonly string[];
  readonly dropped: readonly string[];
  /** Roles that something still depends on, and that were shut out instead of dropped. */
  readonly deactivated: readonly string[];
  readonly requestedBy: string;
  readonly at: Date;
}

export interface Provisions {
  record(provision: Omit<Provision, 'at'>): Promise<void>;
  /** What was last done to the roles of each policy that ever had any made, mended or dropped. */
  latest(): Promise<Map<string, Provision>>;
  /** Roles of a connection that keyturn made, and did not drop since. */
  made(connection: string): Promise<readonly string[]>;
}

const COLUMNS =
  'policy, kind, connection, logins, owner, access, schemas, made, dropped, deactivated, requested_by AS "requestedBy", at';

export function provisionsIn(pool: pg.Pool, clock: Clock): Provisions {
  return {
    async record({ policy, kind, connection, logins, owner, access, schemas, ...rest }) {
      const { made, dropped, deactivated, requestedBy } = rest;
      await pool.query(
        `INSERT INTO keyturn.provision (policy, kind, connection, logins, owner, access, schemas,
                                        made, dropped, deactivated, requested_by, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
        [
          ...[policy, kind, connection, logins, owner, access, schemas],
          ...[made, dropped, deactivated, requestedBy, new Date(clock.now())],
        ],
      );
    },
    async latest() {
      const { rows } = await pool.query<Provision>(
        `SELECT DISTINCT ON (policy) ${COLUMNS} FROM keyturn.provision ORDER BY policy, id DESC`,
      );
      return new Map(rows.map((provision) => [provision.policy, provision]));
    },
    async made(connection) {
      const { rows } = await pool.query<{ readonly role: string }>(
        `SELECT role FROM (
           SELECT DISTINCT ON (role) role, told.made
             FROM keyturn.provision AS provision
            CROSS JOIN LATERAL (
              SELECT pg_catalog.unnest(provision.made) AS role, true AS made
              UNION ALL SELECT pg_catalog.unnest(provision.dropped), false) AS told
            WHERE provision.connection = $1 ORDER BY role, provision.id DESC) AS last
          WHERE made`,
        [connection],
      );
      return rows.map(({ role }) => role);
    },
  };
}

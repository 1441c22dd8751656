import { scramVerifier } from '../../src/postgres/logins/scram-verifier.ts';

/** What `pg_authid` says of a login at one instant. */
export interface LoginRow {
  readonly name: string;
  readonly canLogin: boolean;
  /** Whether anything else keeps everybody out: VALID UNTIL or CONNECTION LIMIT. */
  readonly isBarred: boolean;
  readonly verifier: string | null;
  /** When it was last altered, by the server's clock; milliseconds since the epoch. */
  readonly alteredAt: number;
}

/** The logins of a policy at one instant. */
export interface Look {
  /** By the server's clock; milliseconds since the epoch. */
  readonly at: number;
  readonly logins: ReadonlyMap<string, LoginRow>;
}

type Ask = (sql: string, values: readonly unknown[]) => Promise<Record<string, unknown>[]>;

export async function lookAt(ask: Ask, logins: readonly string[]): Promise<Look> {
  const rows = await ask(
    `SELECT rolname AS name, rolcanlogin AS "canLogin", rolpassword AS verifier,
            coalesce(rolvaliduntil < now(), false) OR rolconnlimit = 0 AS "isBarred",
            coalesce(extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000, 0)::float8 AS "alteredAt",
            (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at
       FROM pg_authid WHERE rolname = ANY ($1)`,
    [logins],
  );
  return {
    at: Number(rows[0]?.at ?? 0),
    logins: new Map(rows.map((row) => [String(row.name), row as unknown as LoginRow])),
  };
}

/** Whether a password logs in, by what `pg_authid` says. */
export function letsIn(row: LoginRow | undefined, password: string): boolean {
  if (!row?.canLogin || row.isBarred || row.verifier === null) return false;
  return isVerifierOf(row.verifier, password);
}

const known = new Map<string, boolean>();

function isVerifierOf(verifier: string, password: string): boolean {
  const key = `${verifier} ${password}`;
  const answer = known.get(key);
  if (answer !== undefined) return answer;
  const [, iterations, salt = ''] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(verifier) ?? [];
  const is = scramVerifier(password, Buffer.from(salt, 'base64'), Number(iterations ?? 1)) === verifier;
  known.set(key, is);
  return is;
}

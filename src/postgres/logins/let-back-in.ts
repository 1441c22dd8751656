import type pg from 'pg';
import { quoteIdentifier, quoteLiteral } from '../identifier.ts';
import { alterLogin } from './alter-login.ts';
import type { Login } from './login.ts';

/**
 * The clauses of `ALTER ROLE`, besides its password, that let a login in again. A value becomes
 * that of the other login, unless it keeps that one out too.
 */
export function repairsOf(login: Login, other: Login | undefined): string[] {
  const limit = other === undefined || other.connectionLimit === 0 ? -1 : other.connectionLimit;
  const until = other === undefined || other.expired ? null : other.validUntil;
  return [
    ...(login.canLogin ? [] : ['LOGIN']),
    ...(login.expired ? [`VALID UNTIL ${quoteLiteral(until?.toISOString() ?? 'infinity')}`] : []),
    ...(isTighter(login.connectionLimit, limit) ? [`CONNECTION LIMIT ${limit}`] : []),
  ];
}

/** Whether a limit lets in fewer than another; -1 is none. */
function isTighter(limit: number, other: number): boolean {
  return limit !== -1 && (other === -1 || limit < other);
}

/**
 * Gives a login its password again, with these clauses. Needs a transaction that holds the policy's
 * lock.
 */
export async function letBackIn(
  client: pg.ClientBase,
  login: string,
  { verifier, repairs }: { readonly verifier: string; readonly repairs: readonly string[] },
): Promise<void> {
  const clauses = [`PASSWORD ${quoteLiteral(verifier)}`, ...repairs].join(' ');
  await alterLogin(client, login, `ALTER ROLE ${quoteIdentifier(login)} ${clauses}`);
}

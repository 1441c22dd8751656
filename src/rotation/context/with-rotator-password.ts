import type { Connection, Database, WithPassword } from '../../config/config.ts';
import { type Fault, factOf, fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { credentialIn } from '../../formats/told-by.ts';
import { placeOf } from '../../postgres/connection/place-of.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { isPasswordRefused } from '../server-fault.ts';
import type { OpenDestination } from './policy-view.ts';

/** Where a rotator's password is looked for. */
interface Sources {
  readonly connection: Connection;
  readonly configured: string;
  readonly policy: string;
  readonly primary: OpenDestination;
  /** The last password that worked, for each server. */
  readonly last: Map<string, string>;
}

/**
 * A connection whose rotator has a policy of its own. These passwords are tried in order: the last
 * one that worked on this server; what the policy's primary publishes; what is pending there
 * (between `set` and `publish`); the one before (a replica may not have replayed the next); the
 * configured one. The next is tried only if PostgreSQL refused the password before it, and not if
 * the server is away. Passwords are kept in memory only (G3).
 */
export function withRotatorPassword(
  { password: configured = '', ...connection }: Connection,
  policy: string,
  primary: OpenDestination,
): Connection {
  const sources: Sources = { connection, configured, policy, primary, last: new Map() };
  const withPassword: WithPassword = (target, attempt) => tryPasswords(sources, target, attempt);
  return { ...connection, withPassword };
}

async function tryPasswords<Result>(
  sources: Sources,
  target: Database,
  attempt: (password: string) => Promise<Result>,
): Promise<Result> {
  const server = serverText(target);
  const refused = new Map<string, unknown>();
  for (;;) {
    const before = refused.size;
    for await (const password of candidates(sources, server)) {
      if (refused.has(password)) continue;
      try {
        const result = await attempt(password);
        sources.last.set(server, password);
        return result;
      } catch (error) {
        if (!isPasswordRefused(error)) throw error;
        refused.set(password, error);
      }
    }
    // What was pending may be current by now. Give up only once there is no new candidate.
    if (refused.size === before) break;
  }
  throw noneWorks(sources, target, [...refused.values()]);
}

async function* candidates(
  { connection, configured, primary, last }: Sources,
  server: string,
): AsyncGenerator<string> {
  const known = last.get(server);
  if (known !== undefined) yield known;
  for (const stage of ['current', 'pending', 'previous'] as const) {
    const credential = credentialIn((await primary.store.read(primary.secrets, stage))?.fields ?? {});
    if (credential?.username === connection.user) yield credential.password;
  }
  yield configured;
}

function noneWorks(
  { connection, policy, primary }: Sources,
  target: Database,
  refusals: readonly unknown[],
): Fault {
  const cause = refusals.at(-1);
  const destination = primary.name;
  // Nothing was ever published, so the configured password is wrong or missing.
  if (refusals.length === 1) {
    return fault('rotator-password-unknown', { policy, destination, cause: factOf(cause) }, { cause });
  }
  const params = { server: placeOf(target), policy, destination, connection: connection.name };
  if (serverText(target) !== serverText(connection)) {
    return fault('replica-refuses-rotator-passwords', params, { cause });
  }
  const alter = `ALTER ROLE ${quoteIdentifier(connection.user)} VALID UNTIL 'infinity'`;
  return fault('rotator-passwords-refused', params, { cause, remedies: [sql(alter)] });
}

function serverText({ host, port }: Database): string {
  return `${host}:${port}`;
}

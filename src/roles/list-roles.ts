import type pg from 'pg';
import type { Fact } from '../facts/fact.ts';
import { factOf } from '../facts/fault.ts';
import type { Rotation } from '../ledger/rotation.ts';
import { type Login, readLogins } from '../postgres/logins/login.ts';
import { sessionsOf } from '../postgres/sessions/sessions.ts';
import type { PolicyView } from '../rotation/context/policy-view.ts';
import type { PolicyStatus } from '../rotation/status.ts';

/**
 * What a login is to its policy. `removed`: the policy is not configured any more, but the login
 * still exists.
 */
export type LoginState =
  | 'active'
  | 'standby'
  | 'waiting for no connections to be revoked'
  | 'disabled'
  | 'missing'
  | 'removed';

/** One line of `keyturn roles list`. What could not be seen is null, and `faults` say why (G6). */
export interface ListedLogin {
  /** Null where not even the logins could be seen. */
  readonly login: string | null;
  /** Null for a login of no policy. */
  readonly policy: string | null;
  readonly connection: string;
  readonly state: LoginState | null;
  /** Whether keyturn created it; else it was there before. */
  readonly made: boolean;
  readonly sessions: number | null;
  readonly memberOf: readonly string[] | null;
  readonly lastRotatedAt: string | null;
  readonly faults: readonly Fact[];
}

/** The logins of a policy. */
export async function listPolicy(
  context: PolicyView,
  { status, last, made }: { status: PolicyStatus; last: Rotation | undefined; made: readonly string[] },
): Promise<ListedLogin[]> {
  const { policy, destinations } = context;
  const faults: Fact[] = [];
  const seen = <Value>(reading: Promise<Value>): Promise<Value | undefined> =>
    reading.catch((error: unknown) => {
      faults.push(factOf(error));
      return undefined;
    });
  const found = await seen(context.rotator().then((client) => readLogins(client, policy.logins)));
  // The status has asked this already, but it does not tell "nothing" from "not known".
  const isPublishedKnown = await seen(context.read(destinations[0], 'current').then(() => true));
  // A rotator has no second login: it is in use, published or not yet.
  const active = policy.type === 'rotator' ? policy.logins[0] : status.active;
  return policy.logins.map((login) => ({
    login,
    policy: policy.name,
    connection: policy.connection,
    state: found && isPublishedKnown ? stateOf(login, active, found.get(login), last) : null,
    made: made.includes(login),
    sessions: found && !found.has(login) ? null : (status.sessions?.[login] ?? null),
    memberOf: found?.get(login)?.memberOf ?? null,
    lastRotatedAt: status.lastRotatedAt,
    faults: faults.length > 0 || status.sessions !== null ? faults.slice(0, 1) : status.faults,
  }));
}

/**
 * Logins of no policy, or of one that is not configured any more, so that nothing says which is
 * published.
 */
export async function listLogins(
  client: pg.ClientBase,
  logins: readonly string[],
  { policy, connection, made }: { policy: string | null; connection: string; made: readonly string[] },
): Promise<ListedLogin[]> {
  const found = await readLogins(client, logins);
  const sessions = await sessionsOf(client, logins);
  return logins.map((login) => ({
    login,
    policy,
    connection,
    state: found.has(login) ? (policy === null ? null : 'removed') : 'missing',
    made: made.includes(login),
    sessions: found.has(login) ? (sessions.get(login)?.length ?? null) : null,
    memberOf: found.get(login)?.memberOf ?? null,
    lastRotatedAt: null,
    faults: [],
  }));
}

/** What is known of logins whose server cannot be asked. */
export function unseenLogins(
  logins: readonly string[],
  {
    made,
    ...known
  }: { policy: string | null; connection: string; made: readonly string[]; faults: readonly Fact[] },
): ListedLogin[] {
  return (logins.length === 0 ? [null] : logins).map((login) => ({
    login,
    state: null,
    made: login !== null && made.includes(login),
    sessions: null,
    memberOf: null,
    lastRotatedAt: null,
    ...known,
  }));
}

function stateOf(
  login: string,
  active: string | null,
  found: Login | undefined,
  last: Rotation | undefined,
): LoginState {
  if (!found) return 'missing';
  if (login === active) return found.canLogin ? 'active' : 'disabled';
  const isDraining = last?.status === 'open' && last.publishedAt !== null;
  const outgoing = last?.rolledBackTo === null ? last.outgoing : last?.incoming;
  return isDraining && login === outgoing && found.canLogin
    ? 'waiting for no connections to be revoked'
    : 'standby';
}

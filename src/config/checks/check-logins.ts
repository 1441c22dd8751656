import { fact } from '../../facts/fact.ts';
import { type Path, renderPath } from '../config-error.ts';
import type { Review } from '../review.ts';
import type { Entries } from '../schema/entries.ts';
import { suggested } from '../schema/report-issue.ts';
import { serverOf } from '../values/server.ts';

interface Claim {
  readonly policy: string;
  readonly path: Path;
}

/**
 * Checks that each login is listed once, in one policy, and is neither owner nor rotator. Roles
 * belong to a whole server, so connections with one host and port share them.
 */
export function checkLogins(review: Review, entries: Entries): void {
  checkNames(review, entries);
  const claims = claimLogins(review, entries);
  for (const [name, policy] of entries.policies) {
    if (policy.owner === undefined) continue;
    const path = ['policies', name, 'owner'];
    const claim = claims.get(roleKey(serverOfPolicy(review, entries, name), policy.owner));
    if (claim === undefined) continue;
    const owner = review.shown(path);
    review.report(path, fact('owner-is-login', { owner, policy: claim.policy }));
  }
  for (const [name, connection] of entries.connections) {
    if (connection.user === undefined) continue;
    const claim = claims.get(roleKey(serverOfConnection(review, entries, name), connection.user));
    if (claim === undefined) continue;
    const login = review.shown(claim.path);
    review.report(claim.path, fact('login-is-rotator', { login, connection: name }));
  }
}

function checkNames(review: Review, { connections, policies }: Entries): void {
  if (review.keysAt(['connections']) === undefined) return;
  const known = [...connections.keys()];
  for (const [name, { connection }] of policies) {
    if (connection === undefined || known.includes(connection)) continue;
    const path = ['policies', name, 'connection'];
    const unknown = { kind: 'connection', value: review.shown(path), known } as const;
    const near = suggested(connection, known);
    review.report(path, fact('config-reference-unknown', { ...unknown, ...near }));
  }
}

function claimLogins(review: Review, entries: Entries): ReadonlyMap<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const [policy, { logins = [] }] of entries.policies) {
    const server = serverOfPolicy(review, entries, policy);
    for (const [index, name] of logins.entries()) {
      const path: Path = ['policies', policy, 'logins', index];
      const key = roleKey(server, name);
      const earlier = claims.get(key);
      if (earlier === undefined) {
        claims.set(key, { policy, path });
        continue;
      }
      const login = review.shown(path);
      if (earlier.policy === policy) review.report(path, fact('login-repeated', { login }));
      else {
        const place = review.placeOf(earlier.path);
        const other = { path: renderPath(earlier.path), ...(place === undefined ? {} : { place }) };
        review.report(path, fact('login-in-two-policies', { login, policy: earlier.policy, other }));
      }
    }
  }
  return claims;
}

/** Where the server is not known, a policy is on one of its own. */
function serverOfPolicy(review: Review, entries: Entries, policy: string): string {
  const connection = entries.policies.get(policy)?.connection;
  const server = connection === undefined ? undefined : serverOfConnection(review, entries, connection);
  return server ?? `that of ${policy}`;
}

function serverOfConnection(review: Review, { connections }: Entries, name: string): string | undefined {
  const connection = connections.get(name);
  const hasHost = review.keysAt(['connections', name])?.includes('host') ?? false;
  return connection === undefined ? undefined : serverOf(connection, hasHost);
}

function roleKey(server: string | undefined, role: string): string {
  return `${server} ${role}`;
}

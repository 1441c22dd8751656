import { type Path, renderPath, renderPlace } from '../config-error.ts';
import { suggest } from '../schema/describe-issue.ts';
import type { Draft } from '../schema/draft.ts';
import { serverOf } from '../values/server.ts';
import { entriesOf, find } from '../yaml/located.ts';

interface Claim {
  readonly policy: string;
  readonly path: Path;
}

/**
 * Checks that each login is free to be rotated: listed once, in one policy only, neither owner nor rotator.
 * Roles are global to a server, so connections with one host and port share them, whatever their database.
 */
export function checkLogins(draft: Draft): void {
  checkNames(draft);
  const claims = claimLogins(draft);
  for (const [name, policy] of draft.policies) {
    if (policy.owner === undefined) continue;
    const path = ['policies', name, 'owner'];
    const claim = claims.get(roleKey(serverOfPolicy(draft, name), policy.owner));
    if (claim === undefined) continue;
    draft.report(
      path,
      `${draft.quote(path)} is a login of policy "${claim.policy}"; must be a role of its own that cannot log in`,
    );
  }
  for (const [name, connection] of draft.connections) {
    if (connection.user === undefined) continue;
    const claim = claims.get(roleKey(serverOfConnection(draft, name), connection.user));
    if (claim === undefined) continue;
    draft.report(
      claim.path,
      `${draft.quote(claim.path)} is the rotator of connection "${name}"; must be a login that keyturn does not use itself`,
    );
  }
}

function checkNames(draft: Draft): void {
  if (find(draft.tree, ['connections'])?.content.kind !== 'mapping') return;
  const known = [...draft.connections.keys()];
  for (const [name, { connection }] of draft.policies) {
    if (connection === undefined || known.includes(connection)) continue;
    const path = ['policies', name, 'connection'];
    draft.report(path, `unknown connection ${draft.quote(path)}; ${suggest(connection, known)}`);
  }
}

function claimLogins(draft: Draft): ReadonlyMap<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const [policy, { logins = [] }] of draft.policies) {
    for (const [index, login] of logins.entries()) {
      const path: Path = ['policies', policy, 'logins', index];
      const key = roleKey(serverOfPolicy(draft, policy), login);
      const earlier = claims.get(key);
      if (earlier === undefined) claims.set(key, { policy, path });
      else if (earlier.policy === policy) {
        draft.report(path, `${draft.quote(path)} is listed twice; must be two different logins`);
      } else {
        draft.report(
          path,
          `${draft.quote(path)} is a login of policy "${earlier.policy}" too (${placeOf(draft, earlier.path)}), on the same server; must be in one policy only`,
        );
      }
    }
  }
  return claims;
}

function placeOf(draft: Draft, path: Path): string {
  const place = find(draft.tree, path)?.place;
  return place === undefined ? renderPath(path) : renderPlace(place);
}

/** Where the server is not known, a policy is on one of its own. */
function serverOfPolicy(draft: Draft, policy: string): string {
  const connection = draft.policies.get(policy)?.connection;
  const server = connection === undefined ? undefined : serverOfConnection(draft, connection);
  return server ?? `that of ${policy}`;
}

function serverOfConnection(draft: Draft, name: string): string | undefined {
  const connection = draft.connections.get(name);
  const hasHost = entriesOf(find(draft.tree, ['connections', name])).has('host');
  return connection === undefined ? undefined : serverOf(connection, hasHost);
}

function roleKey(server: string | undefined, role: string): string {
  return `${server} ${role}`;
}

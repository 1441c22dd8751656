import type { Path } from '../config-error.ts';
import type { ConnectionEntry } from '../schema/config-schema.ts';
import type { Draft } from '../schema/draft.ts';
import { TWO_LOGINS } from '../schema/policy-schema.ts';
import { serverOf } from '../values/server.ts';
import { entriesOf, find } from '../yaml/located.ts';

/** What there is nothing of where the only login is the rotator's. */
const OF_TWO_LOGINS = ['logins', 'owner', 'drain'] as const;

/** Checks that each policy has what its type needs and nothing else, and that no two rotate one rotator. */
export function checkPolicyTypes(draft: Draft): void {
  const rotated = new Map<string, string>();
  for (const [name, { type, connection }] of draft.policies) {
    const path: Path = ['policies', name];
    const entry = find(draft.tree, path);
    const keys = [...entriesOf(entry).keys()];
    if (type === 'logins' && entry?.content.kind === 'mapping' && !keys.includes('logins')) {
      draft.report([...path, 'logins'], `is missing; must be ${TWO_LOGINS}`);
    }
    if (type !== 'rotator') continue;
    for (const key of OF_TWO_LOGINS.filter((key) => keys.includes(key))) {
      draft.report(
        [...path, key],
        `has no use with type rotator, whose only login is the connection's user; leave it out`,
      );
    }
    if (connection !== undefined) checkRotator(draft, name, connection, rotated);
  }
}

function checkRotator(draft: Draft, policy: string, name: string, rotated: Map<string, string>): void {
  const connection = draft.connections.get(name);
  if (connection === undefined) return;
  const path: Path = ['policies', policy, 'connection'];
  if (!entriesOf(find(draft.tree, ['connections', name])).has('host')) {
    draft.report(
      path,
      `${draft.quote(path)} is the embedded PostgreSQL, whose rotator is keyturn's own affair; must be a connection with host and user`,
    );
    return;
  }
  const key = `${serverOf(connection, true)} ${connection.user}`;
  const earlier = rotated.get(key);
  if (earlier === undefined) rotated.set(key, policy);
  else {
    draft.report(
      path,
      `${draft.quote(path)} has the rotator that policy "${earlier}" rotates already; must be one policy for each rotator`,
    );
  }
  checkState(draft, path, connection);
}

/** A process that starts needs the ledger first, with the password that is configured for it. */
function checkState(draft: Draft, path: Path, connection: Partial<ConnectionEntry>): void {
  const { state } = draft;
  if (state.user === undefined || state.user !== connection.user) return;
  if (serverOf(state, true) !== serverOf(connection, true)) return;
  draft.report(
    path,
    `the rotator of ${draft.quote(path)} is the login of state.database too, where its old password would stay; must be another login there`,
  );
}

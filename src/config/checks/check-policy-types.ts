import { fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import type { ConnectionEntry } from '../schema/connection-schema.ts';
import type { Entries } from '../schema/entries.ts';
import { serverOf } from '../values/server.ts';

/** What a policy whose only login is the rotator's does not have. */
const OF_TWO_LOGINS = ['logins', 'owner', 'drain', 'heal'] as const;

/** Checks that each policy has what its type needs, no more, and each rotator one policy. */
export function checkPolicyTypes(review: Review, entries: Entries): void {
  const rotated = new Map<string, string>();
  for (const [name, { type, connection }] of entries.policies) {
    const path: Path = ['policies', name];
    const keys = review.keysAt(path);
    if (keys === undefined) continue;
    if (type === 'logins' && !keys.includes('logins')) {
      review.report([...path, 'logins'], fact('config-entry-missing', { rule: 'two-logins' }));
    }
    if (type !== 'rotator') continue;
    for (const key of OF_TWO_LOGINS.filter((key) => keys.includes(key))) {
      review.report([...path, key], fact('rotator-key-useless', { key }));
    }
    if (connection !== undefined) checkRotator(review, entries, { policy: name, connection, rotated });
  }
}

function checkRotator(
  review: Review,
  { connections, state }: Entries,
  {
    policy,
    connection: name,
    rotated,
  }: {
    readonly policy: string;
    readonly connection: string;
    /** The policy of each rotator that was seen. */
    readonly rotated: Map<string, string>;
  },
): void {
  const entry = connections.get(name);
  if (entry === undefined) return;
  const path: Path = ['policies', policy, 'connection'];
  const connection = review.shown(path);
  if (!review.keysAt(['connections', name])?.includes('host')) {
    review.report(path, fact('rotator-embedded', { connection }));
    return;
  }
  const key = `${serverOf(entry, true)} ${entry.user}`;
  const earlier = rotated.get(key);
  if (earlier === undefined) rotated.set(key, policy);
  else review.report(path, fact('rotator-rotated-twice', { connection, policy: earlier }));
  if (isSameLogin(state, entry)) review.report(path, fact('rotator-holds-state', { connection }));
}

function isSameLogin(state: Partial<ConnectionEntry>, connection: Partial<ConnectionEntry>): boolean {
  if (state.user === undefined || state.user !== connection.user) return false;
  return serverOf(state, true) === serverOf(connection, true);
}

import type { Policy } from '../config/policy.ts';
import { describeFuture } from '../ledger/future.ts';
import type { Rotation } from '../ledger/rotation.ts';
import type { Timing } from '../ledger/timing.ts';
import { sessionsIn } from '../postgres/sessions/sessions.ts';
import type { Version } from '../secret-store/secret-store.ts';
import type { RotationContext } from './context/rotation-context.ts';
import { isOverdue, nextTry } from './due-rotation.ts';

export type PolicyState =
  | 'new'
  | 'active'
  | 'rotating'
  | 'draining'
  | 'retrying'
  | 'failed'
  | 'overdue'
  | 'paused';

/** What `keyturn status` says of a policy. What could not be seen is null, and `lastError` says why (G6). */
export interface PolicyStatus {
  readonly policy: string;
  readonly state: PolicyState;
  /** The published login; null when none is, or the store cannot be asked. */
  readonly active: string | null;
  readonly standby: string | null;
  readonly sessions: Readonly<Record<string, number>> | null;
  readonly lastRotatedAt: string | null;
  readonly nextRotationAt: string | null;
  readonly lastError: string | null;
  /** That the ledger has an instant in the future, which is not counted. */
  readonly clockWarning: string | null;
}

export async function policyStatus(
  policy: Policy,
  history: { readonly last: Rotation; readonly lastDoneAt: Date | null } | undefined,
  { timing, context }: { timing: Timing; context: RotationContext },
): Promise<PolicyStatus> {
  const faults: string[] = [];
  const seen = <Value>(reading: Promise<Value>): Promise<Value | undefined> =>
    reading.catch((error: Error) => {
      faults.push(error.message);
      return undefined;
    });
  const [versions, sessions] = await Promise.all([
    Promise.all(
      context.destinations.map((destination) =>
        seen(context.read(destination, 'current').then((version) => ({ version }))),
      ),
    ),
    seen(context.uses(policy.logins).then(sessionsIn)),
  ]);
  const published = versions[0]?.version;
  const now = context.clock.now();
  const unpublished = versions[0] !== undefined && !published;
  const next = nextTry(policy, timing, { now, unpublished });
  const username = published?.fields.username ?? null;
  const active = username !== null && policy.logins.includes(username) ? username : null;
  const last = history?.last;
  if (!published && faults.length === 0 && history?.lastDoneAt && last?.status !== 'open') {
    faults.push(
      `${context.destinations[0].name} publishes nothing any more; see what a rotation would do: keyturn plan ${policy.name}`,
    );
  }
  return {
    policy: policy.name,
    state: stateOf(last, active !== null, {
      paused: timing.pausedAt !== null,
      overdue: isOverdue(policy, timing, now),
    }),
    active,
    standby: active === null ? null : (policy.logins.find((login) => login !== active) ?? null),
    sessions: sessions
      ? Object.fromEntries([...sessions].map(([login, list]) => [login, list.length]))
      : null,
    lastRotatedAt: history?.lastDoneAt?.toISOString() ?? null,
    nextRotationAt: next === undefined ? null : new Date(next).toISOString(),
    lastError:
      [last?.lastError ?? faults[0], describePart(context, versions, last)]
        .filter((text) => text !== undefined && text !== null)
        .join('; ') || null,
    clockWarning: timing.futureAt ? describeFuture(timing.futureAt) : null,
  };
}

/** What is published where, if the destinations do not agree: a publish that stopped halfway, or a hand in between. */
function describePart(
  { destinations }: RotationContext,
  answers: readonly ({ readonly version: Version | undefined } | undefined)[],
  last: Rotation | undefined,
): string | undefined {
  const known = answers.filter((answer) => answer !== undefined);
  const tokens = new Set(known.map(({ version }) => version && (version.token ?? 'of nobody')));
  // One that cannot be asked is behind for all that is known, while the rotation that another has is not over.
  const isBehind = known.length < answers.length && last?.status === 'open' && tokens.has(last.id);
  if (tokens.size < 2 && !isBehind) return undefined;
  const what = answers.map((answer, index) => {
    const version = answer?.version;
    const login = version ? (version.fields.username ?? 'another version') : 'nothing';
    return answer ? `${destinations[index]?.name} has ${login}` : `${destinations[index]?.name} is not known`;
  });
  return `published in part: ${what.join(', ')}`;
}

function stateOf(
  last: Rotation | undefined,
  published: boolean,
  { paused, overdue }: { paused: boolean; overdue: boolean },
): PolicyState {
  if (last?.status === 'open') {
    if (last.attempts > 0) return 'retrying';
    return last.publishedAt ? 'draining' : 'rotating';
  }
  if (paused) return 'paused';
  if (last?.status === 'failed') return 'failed';
  if (overdue) return 'overdue';
  return last || published ? 'active' : 'new';
}

import type { Policy } from '../config/policy.ts';
import { type Fact, type FactParams, fact } from '../facts/fact.ts';
import { factOf } from '../facts/fault.ts';
import { command } from '../facts/remedy.ts';
import { usernameIn } from '../formats/told-by.ts';
import { type Requester, requesterOf } from '../ledger/audit/requester.ts';
import { isSameFact } from '../ledger/fact-json.ts';
import { futureFact } from '../ledger/future.ts';
import type { Broken } from '../ledger/probes.ts';
import { hasFailed, type Rotation } from '../ledger/rotation.ts';
import type { Timing } from '../ledger/timing.ts';
import { sessionsIn } from '../postgres/sessions/sessions.ts';
import type { Version } from '../secret-store/secret-store.ts';
import type { PolicyView } from './context/policy-view.ts';
import { isOverdue, nextTry } from './due-rotation.ts';
import { credentialBroken } from './proof/probe.ts';

export type PolicyState =
  | 'new'
  | 'active'
  | 'rotating'
  | 'draining'
  | 'retrying'
  | 'failed'
  | 'overdue'
  | 'paused'
  | 'broken';

/**
 * What `keyturn status` says about a policy. What could not be asked is null, and `faults` say why
 * (G6).
 */
export interface PolicyStatus {
  readonly policy: string;
  readonly state: PolicyState;
  /** The published login; null if there is none, or if the store cannot be asked. */
  readonly active: string | null;
  readonly standby: string | null;
  readonly sessions: Readonly<Record<string, number>> | null;
  readonly lastRotatedAt: string | null;
  readonly nextRotationAt: string | null;
  /** The open rotation, and who asked for it; null if none is open. */
  readonly openRotation: Asked<'rotation'> | null;
  /** Who paused the schedule; null if it is not paused. */
  readonly paused: Asked | null;
  /** Whether the server and the stores could be asked. */
  readonly reachable: boolean;
  /** What is wrong now: what could not be asked, and where the destinations do not agree. */
  readonly faults: readonly Fact[];
  /** Why the open rotation is tried again, or why the last one failed; null if neither is so. */
  readonly lastFailure: LastFailure | null;
  /** A warning that the ledger has an instant in the future, which is not counted. */
  readonly clockWarning: Fact | null;
}

/** `failedAt` is null while the rotation is open. */
export interface LastFailure {
  readonly rotation: string;
  readonly failedAt: string | null;
  readonly fault: Fact;
}

/** Something that somebody asked for, and when. */
type Asked<Names extends string = never> = Required<Requester> & { readonly requestedAt: string } & Readonly<
    Record<Names, string>
  >;

export async function policyStatus(
  policy: Policy,
  history: { readonly last: Rotation; readonly lastDoneAt: Date | null } | undefined,
  { timing, context, broken }: { timing: Timing; context: PolicyView; broken?: Broken | undefined },
): Promise<PolicyStatus> {
  const { versions, sessions, faults } = await observe(policy, context);
  const published = versions[0]?.version;
  const now = context.clock.now();
  const unpublished = versions[0] !== undefined && !published;
  const next = nextTry(policy, timing, { now, unpublished });
  const username = usernameIn(published?.fields ?? {}) ?? null;
  const active = username !== null && policy.logins.includes(username) ? username : null;
  const last = history?.last;
  const isGone = !published && faults.length === 0 && history?.lastDoneAt && last?.status !== 'open';
  const fault = isGone ? publicationGone(policy, context) : faults[0];
  return {
    policy: policy.name,
    state: stateOf(last, active !== null, {
      paused: timing.pausedAt !== null,
      overdue: isOverdue(policy, timing, now),
      broken: broken !== undefined || Boolean(isGone),
    }),
    active,
    standby: active === null ? null : (policy.logins.find((login) => login !== active) ?? null),
    sessions: sessions
      ? Object.fromEntries([...sessions].map(([login, list]) => [login, list.length]))
      : null,
    lastRotatedAt: history?.lastDoneAt?.toISOString() ?? null,
    nextRotationAt: next === undefined ? null : new Date(next).toISOString(),
    openRotation: last?.status === 'open' ? askedFor(last) : null,
    paused: pausedBy(timing),
    reachable: faults.length === 0,
    faults: [broken && credentialBroken(policy, broken.fact), fault, partOf(context, versions, last)].filter(
      (each) => each != null,
    ),
    lastFailure: lastFailure(last, faults),
    clockWarning: timing.futureAt ? futureFact(timing.futureAt) : null,
  };
}

/** Nothing where it is what is wrong now, or where somebody wanted the rotation to end so. */
function lastFailure(last: Rotation | undefined, faults: readonly Fact[]): LastFailure | null {
  if (!last?.lastFault || (last.status === 'failed' && !hasFailed(last))) return null;
  const { id, lastFault, finishedAt } = last;
  if (faults.some((each) => isSameFact(each, lastFault))) return null;
  return { rotation: id, failedAt: finishedAt?.toISOString() ?? null, fault: lastFault };
}

function askedFor(rotation: Rotation): PolicyStatus['openRotation'] {
  const { id, requestedAt } = rotation;
  return { rotation: id, requestedAt: requestedAt.toISOString(), ...requesterOf(rotation) };
}

function pausedBy({ pausedAt, pausedBy, pausedHost, pausedReason }: Timing): PolicyStatus['paused'] {
  if (!pausedAt) return null;
  return {
    requestedAt: pausedAt.toISOString(),
    requestedBy: pausedBy ?? '',
    requestedHost: pausedHost ?? null,
    requestedReason: pausedReason ?? null,
  };
}

/** Reads the destinations and counts sessions. What cannot be asked is undefined, with a fault. */
async function observe(policy: Policy, context: PolicyView) {
  const faults: Fact[] = [];
  const seen = <Value>(reading: Promise<Value>): Promise<Value | undefined> =>
    reading.catch((error: unknown) => {
      faults.push(factOf(error));
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
  return { versions, sessions, faults };
}

function publicationGone(policy: Policy, { destinations }: PolicyView): Fact {
  const { name } = destinations[0];
  return fact('publication-gone', { destination: name }, command('plan', policy.name)) as Fact;
}

/**
 * What each destination publishes, if they differ: a publish stopped halfway, or somebody edited
 * one.
 */
function partOf(
  { destinations }: PolicyView,
  answers: readonly ({ readonly version: Version | undefined } | undefined)[],
  last: Rotation | undefined,
): Fact | undefined {
  const known = answers.filter((answer) => answer !== undefined);
  const tokens = new Set(known.map(({ version }) => version && (version.token ?? 'of nobody')));
  // While a rotation is open, a destination that cannot be asked counts as one that is behind.
  const isBehind = known.length < answers.length && last?.status === 'open' && tokens.has(last.id);
  if (tokens.size < 2 && !isBehind) return undefined;
  return fact('published-in-part', {
    destinations: destinations.map(({ name }, index) => ({ destination: name, ...heldIn(answers[index]) })),
  });
}

type Held = Pick<FactParams['published-in-part']['destinations'][number], 'has' | 'login'>;

function heldIn(answer: { readonly version: Version | undefined } | undefined): Held {
  if (!answer) return { has: 'unknown', login: null };
  if (!answer.version) return { has: 'nothing', login: null };
  const username = usernameIn(answer.version.fields);
  return username === undefined ? { has: 'unnamed', login: null } : { has: 'login', login: username };
}

function stateOf(
  last: Rotation | undefined,
  published: boolean,
  { paused, overdue, broken }: Readonly<Record<'paused' | 'overdue' | 'broken', boolean>>,
): PolicyState {
  if (broken) return 'broken';
  if (last?.status === 'open') {
    if (last.attempts > 0) return 'retrying';
    return last.publishedAt ? 'draining' : 'rotating';
  }
  if (paused) return 'paused';
  if (last && hasFailed(last)) return 'failed';
  if (overdue) return 'overdue';
  return last || published ? 'active' : 'new';
}

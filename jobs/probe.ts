import pMap from 'p-map';
import type { Policy } from '../src/config/policy.ts';
import { fact } from '../src/facts/fact.ts';
import { factOf } from '../src/facts/fault.ts';
import { logFact } from '../src/messages/log-fact.ts';
import type { PolicyView } from '../src/rotation/context/policy-view.ts';
import { credentialBroken, type Probed, probePublished } from '../src/rotation/proof/probe.ts';
import { recover } from '../src/rotation/recover.ts';
import { inBulk } from './look.ts';
import { type Repeated, repeat } from './repeat.ts';
import { ServerWatch, type WatchParts } from './watch.ts';

/** How often a worker looks which policies are due, in milliseconds. */
const TURN_MS = 15_000;
/** How many policies a turn probes at most, and on how many connections at a time. */
const PER_TURN = 500;
const PARALLEL = { concurrency: 4 };
/** When a policy is tried again whose server could not be asked, in milliseconds. */
const AGAIN_MS = 60_000;

export interface ProbeParts extends WatchParts {
  /** The configured policies. After an edit it is another map. */
  readonly policies: () => ReadonlyMap<string, Policy>;
  readonly openView: (policy: Policy) => Promise<PolicyView & AsyncDisposable>;
  /** Makes what a policy publishes work again. */
  readonly restore: (policy: Policy) => Promise<void>;
  /** Called when a credential broke, or works again. */
  readonly onNews?: () => void;
}

/**
 * Probes policies at intervals, apart from the sweep: a server that stalls must not hold that up.
 */
export function startProbes({
  isClockWrong,
  sweepInterval,
  ...parts
}: ProbeParts & {
  readonly isClockWrong: () => boolean;
  readonly sweepInterval: number;
}): Repeated {
  return repeat(probeTurn(parts), { every: Math.min(TURN_MS, sweepInterval), isOff: isClockWrong });
}

/**
 * Probes the policies that are due: logs in with what they publish. What does not work twice in a
 * row is broken, and the log says so once. Where a server cannot be asked, that says nothing of a
 * credential: the others on its connection are tried with the next turn.
 */
export function probeTurn(parts: ProbeParts): () => Promise<void> {
  const { ledger, policies } = parts;
  const watch = new ServerWatch(parts);
  let kept: ReadonlyMap<string, Policy> | undefined;
  let byConnection: ReadonlyMap<string, readonly Policy[]> = new Map();
  async function keep(configured: ReadonlyMap<string, Policy>): Promise<void> {
    const probed = [...configured.values()].filter(({ probe }) => probe);
    const intervals = probed.flatMap(({ name, probe }) => (probe ? [[name, probe.every] as const] : []));
    for (const some of inBulk(intervals)) await ledger.probes.keep(new Map(some));
    byConnection = grouped(probed);
    kept = configured;
  }
  return async () => {
    const configured = policies();
    if (configured !== kept) await keep(configured);
    const moved = await watch.look(byConnection);
    const claimed = await ledger.probes.claim(PER_TURN);
    const due = claimed.flatMap((name) => configured.get(name) ?? []).filter(({ probe }) => probe);
    await pMap([...grouped(due).values()], (policies) => probeConnection(parts, policies), PARALLEL);
    for (const { connection, server, policies: hurried } of moved) {
      const names = hurried.map(({ name }) => name);
      await ledger.servers.probed(connection, server, names);
    }
  };
}

function grouped(policies: readonly Policy[]): ReadonlyMap<string, readonly Policy[]> {
  const groups = new Map<string, Policy[]>();
  for (const policy of policies) {
    const group = groups.get(policy.connection);
    if (group) group.push(policy);
    else groups.set(policy.connection, [policy]);
  }
  return groups;
}

async function probeConnection(parts: ProbeParts, policies: readonly Policy[]): Promise<void> {
  const { probes } = parts.ledger;
  for (const [index, policy] of policies.entries()) {
    // What keeps a policy from being looked at is told by its rotation, and by the doctor.
    const isAnswered = await probe(parts, policy).catch(() => false);
    if (isAnswered) continue;
    await probes.hurry([policy.name], { in: AGAIN_MS });
    await probes.hurry(policies.slice(index + 1).map(({ name }) => name));
    return;
  }
}

/** Probes one policy. Returns whether its server answered. */
async function probe(parts: ProbeParts, policy: Policy): Promise<boolean> {
  const { ledger, log, openView, onNews } = parts;
  const probed = await look(parts, await openView(policy));
  if (probed.state === 'unknown') return !probed.isServerAway;
  const refused = probed.state === 'refused' ? probed.fact : undefined;
  const { isBroken, isNews } = await ledger.probes.record(policy.name, refused);
  if (isNews) onNews?.();
  const whose = { policy: policy.name };
  if (isNews && refused) logFact(log, 'error', credentialBroken(policy, refused), whose);
  if (isNews && !isBroken) logFact(log, 'info', fact('credential-restored', {}), whose);
  if (isBroken && policy.heal === 'restore') await heal(parts, policy, { isNews });
  return true;
}

async function look({ ledger, log }: ProbeParts, opened: PolicyView & AsyncDisposable): Promise<Probed> {
  await using view = opened;
  const probed = await probePublished(view);
  if (probed.state !== 'works') return probed;
  // What a lost ledger cannot know any more, and what works, is gone on from. If that fails, the
  // next probe tries again.
  const recovered = await recover(view, ledger).catch(() => undefined);
  if (recovered) logFact(log, 'warn', recovered, { policy: view.policy.name });
  return probed;
}

/** Restores a policy. It is tried with each probe, and the log says once why it fails. */
async function heal(
  { log, restore }: ProbeParts,
  policy: Policy,
  { isNews }: { readonly isNews: boolean },
): Promise<void> {
  const whose = { policy: policy.name };
  try {
    await restore(policy);
    logFact(log, 'info', fact('credential-healed', {}), whose);
  } catch (error) {
    if (isNews) logFact(log, 'error', fact('credential-not-healed', { cause: factOf(error) }), whose);
  }
}

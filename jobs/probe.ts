import pMap from 'p-map';
import type { Logger } from 'pino';
import type { Policy } from '../src/config/policy.ts';
import { fact } from '../src/facts/fact.ts';
import { factOf } from '../src/facts/fault.ts';
import type { Ledger } from '../src/ledger/ledger.ts';
import { logFact } from '../src/messages/log-fact.ts';
import type { PolicyView } from '../src/rotation/context/policy-view.ts';
import { credentialBroken, type Probed, probePublished } from '../src/rotation/proof/probe.ts';
import { inBulk } from './look.ts';

/** How often a worker looks which policies are due, in milliseconds. */
const TURN_MS = 15_000;
/** How many policies a turn probes at most, and on how many connections at a time. */
const PER_TURN = 500;
const PARALLEL = { concurrency: 4 };

export interface ProbeParts {
  readonly ledger: Ledger;
  readonly log: Logger;
  /** The configured policies. After an edit it is another map. */
  readonly policies: () => ReadonlyMap<string, Policy>;
  readonly openView: (policy: Policy) => Promise<PolicyView & AsyncDisposable>;
  /** Makes what a policy publishes work again. */
  readonly restore: (policy: Policy) => Promise<void>;
}

/**
 * Probes policies at intervals, apart from the sweep: a server that stalls must not hold that up.
 */
export function startProbes({
  isClockWrong,
  sweepInterval,
  ...parts
}: ProbeParts & { readonly isClockWrong: () => boolean; readonly sweepInterval: number }) {
  const turn = probeTurn(parts);
  let probing: Promise<void> | undefined;
  const timer = setInterval(
    () => {
      if (isClockWrong()) return;
      // The sweep says it when the ledger is away.
      probing ??= turn()
        .catch(() => {})
        .finally(() => {
          probing = undefined;
        });
    },
    Math.min(TURN_MS, sweepInterval),
  );
  return { last: async () => probing, stop: () => clearInterval(timer) };
}

/**
 * Probes the policies that are due: logs in with what they publish. What does not work twice in a
 * row is broken, and the log says so once. Where a server cannot be asked, that says nothing of a
 * credential: the others on its connection are tried with the next turn.
 */
export function probeTurn(parts: ProbeParts): () => Promise<void> {
  const { ledger, policies } = parts;
  let kept: ReadonlyMap<string, Policy> | undefined;
  async function keep(configured: ReadonlyMap<string, Policy>): Promise<void> {
    const intervals = [...configured.values()].flatMap(({ name, probe }) =>
      probe ? [[name, probe.every] as const] : [],
    );
    for (const some of inBulk(intervals)) await ledger.probes.keep(new Map(some));
    kept = configured;
  }
  return async () => {
    const configured = policies();
    if (configured !== kept) await keep(configured);
    const claimed = await ledger.probes.claim(PER_TURN);
    const due = claimed.flatMap((name) => configured.get(name) ?? []).filter(({ probe }) => probe);
    const connections = [...new Set(due.map(({ connection }) => connection))];
    const on = (name: string) => due.filter(({ connection }) => connection === name);
    await pMap(connections, (name) => probeConnection(parts, on(name)), PARALLEL);
  };
}

async function probeConnection(parts: ProbeParts, policies: readonly Policy[]): Promise<void> {
  for (const [index, policy] of policies.entries()) {
    // What keeps a policy from being looked at is told by its rotation, and by the doctor.
    const isAnswered = await probe(parts, policy).catch(() => false);
    if (isAnswered) continue;
    const left = policies.slice(index + 1).map(({ name }) => name);
    if (left.length > 0) await parts.ledger.probes.hurry(left);
    return;
  }
}

/** Probes one policy. Returns whether the server and the store answered. */
async function probe(parts: ProbeParts, policy: Policy): Promise<boolean> {
  const { ledger, log, openView } = parts;
  const probed = await look(await openView(policy));
  if (probed.state === 'unknown') return false;
  const refused = probed.state === 'refused' ? probed.fact : undefined;
  const { isBroken, isNews } = await ledger.probes.record(policy.name, refused);
  const whose = { policy: policy.name };
  if (isNews && refused) logFact(log, 'error', credentialBroken(policy, refused), whose);
  if (isNews && !isBroken) logFact(log, 'info', fact('credential-restored', {}), whose);
  if (isBroken && policy.heal === 'restore') await heal(parts, policy, { isNews });
  return true;
}

async function look(opened: PolicyView & AsyncDisposable): Promise<Probed> {
  await using view = opened;
  return await probePublished(view);
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

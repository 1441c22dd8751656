import pMap from 'p-map';
import type { Clock } from '../clock.ts';
import type { Connection } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';
import type { Store } from '../config/stores.ts';
import { fact } from '../facts/fact.ts';
import type { Problem } from '../facts/problem.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rotation } from '../ledger/rotation.ts';
import type { Timing } from '../ledger/timing.ts';
import { openView } from '../rotation/context/open-view.ts';
import type { OpenDestination } from '../rotation/context/policy-view.ts';
import { nextDue } from '../rotation/due-rotation.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';
import { mustAdopt } from '../rotation/outside-changes/outside-changes.ts';
import { stateClockFinding } from './clock-finding.ts';
import { type ConnectionExamination, examineConnection } from './examine-connection.ts';
import { examinePolicy } from './examine-policy.ts';
import { examineState, type SharedState } from './examine-state.ts';
import { faultFinding } from './fault-finding.ts';
import { graceFinding } from './grace-finding.ts';
import { scheduleFindings } from './schedule-findings.ts';

export interface DoctorParts extends SharedState {
  readonly clock: Clock;
  readonly stores: ReadonlyMap<string, Store>;
  /** Files with secrets in the configuration that everybody may read. */
  readonly exposed?: readonly Problem[];
  connection(policy: Policy): Promise<Connection>;
  destinations(policy: Policy): readonly [OpenDestination, ...OpenDestination[]];
}

/**
 * Findings about one connection, one policy, or, if it names neither, about what all policies
 * share.
 */
export interface Diagnosis {
  readonly connection: string | null;
  readonly policy: string | null;
  readonly findings: readonly Finding[];
}

/** A server or a store that answers slowly holds up a few policies, not all of them. */
const PARALLEL = { concurrency: 8 };

/**
 * Looks for everything that would stop or endanger a rotation of these policies. What policies
 * share is examined once. It goes as far as it can, whatever is down, and changes nothing.
 * `onProgress` is told how many examinations are done, and of how many.
 */
export async function diagnose(
  parts: DoctorParts,
  policies: readonly Policy[],
  onProgress: (done: number, of: number) => void = () => {},
): Promise<Diagnosis[]> {
  const names = [...new Set(policies.map(({ connection }) => connection))];
  let done = 0;
  const total = 1 + names.length + policies.length;
  const tick = () => onProgress(++done, total);
  const connections = new Map<string, ConnectionExamination>();
  const examineNamed = async (name: string): Promise<Diagnosis> => {
    const examined = await examineConnectionOf(parts, policies, name);
    connections.set(name, examined);
    tick();
    return { connection: name, policy: null, findings: examined.findings };
  };
  const [state, ofConnections] = await Promise.all([
    examineState(parts).finally(tick),
    pMap(names, examineNamed, PARALLEL),
  ]);
  const { ledger } = state;
  const history = await readHistory(ledger, policies);
  const examinePolicyOf = async (policy: Policy): Promise<Diagnosis> => {
    const usable = connections.get(policy.connection)?.usable === true;
    const findings = await examineOne(parts, policy, { ledger, history, usable });
    tick();
    return { connection: policy.connection, policy: policy.name, findings };
  };
  const ofPolicies = await pMap(policies, examinePolicyOf, PARALLEL);
  const skew = stateClockFinding(parts.clock.skew?.());
  return [
    {
      connection: null,
      policy: null,
      findings: [...exposed(parts), ...state.findings, ...(skew ? [skew] : [])],
    },
    ...ofConnections,
    ...ofPolicies,
  ];
}

/** Examines a connection by its name, with the settings of the first policy that uses it. */
async function examineConnectionOf(
  parts: DoctorParts,
  policies: readonly Policy[],
  name: string,
): Promise<ConnectionExamination> {
  const policy = policies.find(({ connection }) => connection === name);
  if (!policy) return { usable: false, findings: [] };
  try {
    return await examineConnection(await parts.connection(policy), parts);
  } catch (error) {
    return { usable: false, findings: [faultFinding('server', error)] };
  }
}

interface Known {
  readonly ledger: Ledger | undefined;
  readonly history: History | undefined;
  /** Whether the server of the policy's connection can be asked. */
  readonly usable: boolean;
}

async function examineOne(
  parts: DoctorParts,
  policy: Policy,
  { ledger, history, usable }: Known,
): Promise<Finding[]> {
  const now = parts.clock.now();
  const timing = history?.timings.get(policy.name);
  const last = history?.last.get(policy.name);
  const due = timing && nextDue(policy, timing, now);
  const open = last?.status === 'open' ? last : undefined;
  const world = await viewParts(parts, policy)
    .then((view) => examinePolicy(policy, { ...view, usable, ledger, open, due }))
    .catch((error) => [faultFinding('logins', error)]);
  const hasFailed = ledger && usable && policy.type === 'logins' && last?.status === 'failed';
  // If that cannot be asked, another finding says why.
  const adopt = hasFailed ? await stopsUnlessAdopted(parts, policy, ledger).catch(() => false) : false;
  return [
    ...world,
    // A rotator has no second login to wait for.
    ...(policy.type === 'logins' ? [graceFinding(policy, parts.stores)] : []),
    ...(timing ? scheduleFindings(policy, { timing, last, now: parts.clock.now(), adopt }) : []),
  ];
}

async function stopsUnlessAdopted(parts: DoctorParts, policy: Policy, ledger: Ledger): Promise<boolean> {
  await using view = openView({ ...(await viewParts(parts, policy)), policy });
  return await mustAdopt(view, ledger);
}

async function viewParts(parts: DoctorParts, policy: Policy) {
  const connection = await parts.connection(policy);
  return { connection, destinations: parts.destinations(policy), clock: parts.clock };
}

/** Findings for files of the configuration that everybody may read. */
function exposed({ exposed: problems = [] }: DoctorParts): Finding[] {
  return problems.map((problem) => finding('warn', 'files', fact('configuration-exposed', { problem })));
}

interface History {
  readonly timings: ReadonlyMap<string, Timing>;
  readonly last: ReadonlyMap<string, Rotation>;
}

async function readHistory(
  ledger: Ledger | undefined,
  policies: readonly Policy[],
): Promise<History | undefined> {
  if (!ledger) return undefined;
  const names = policies.map(({ name }) => name);
  const [timings, summary] = await Promise.all([ledger.timings(names), ledger.summary(names)]);
  return { timings, last: new Map([...summary].map(([name, { last }]) => [name, last])) };
}

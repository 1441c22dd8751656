import type { Clock } from '../clock.ts';
import type { Connection, Store } from '../config/config.ts';
import type { Policy } from '../config/policy.ts';
import { eachOf } from '../each-of.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Rotation } from '../ledger/rotation.ts';
import type { Timing } from '../ledger/timing.ts';
import { hypotheticalRotation } from '../rotation/context/hypothetical-rotation.ts';
import { openView } from '../rotation/context/open-context.ts';
import type { OpenDestination } from '../rotation/context/rotation-context.ts';
import { nextDue } from '../rotation/due-rotation.ts';
import type { Finding } from '../rotation/findings/finding.ts';
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
  /** What the configuration says of files with secrets that everybody may read. */
  readonly exposed?: readonly string[];
  connection(policy: Policy): Promise<Connection>;
  destinations(policy: Policy): readonly [OpenDestination, ...OpenDestination[]];
}

/** What was found of one connection, of one policy, or, where it names neither, of what all policies share. */
export interface Diagnosis {
  readonly connection: string | null;
  readonly policy: string | null;
  readonly findings: readonly Finding[];
}

/** What answers slowly holds up a few, not all that come after it. */
const PARALLEL = { parallel: 8 };

/**
 * Looks for all that would stop or endanger a rotation of these policies; what they share is looked at once. Goes as far
 * as it can, whatever is down, and changes nothing. `onProgress` hears how many things are looked at, of how many.
 */
export async function diagnose(
  parts: DoctorParts,
  policies: readonly Policy[],
  onProgress: (done: number, of: number) => void = () => {},
): Promise<Diagnosis[]> {
  const names = [...new Set(policies.map(({ connection }) => connection))];
  let done = 0;
  const tick = () => {
    done += 1;
    onProgress(done, 1 + names.length + policies.length);
  };
  const connections = new Map<string, ConnectionExamination>();
  const [{ ledger, findings }] = await Promise.all([
    examineState(parts).finally(tick),
    eachOf(names, (name) => examineNamed(name).finally(tick), PARALLEL),
  ]);
  const clocks = [stateClockFinding(parts.clock.skew?.())].filter((each) => each !== undefined);
  const history = await readHistory(ledger, policies);
  const examined = new Map<string, readonly Finding[]>();
  await eachOf(policies, (policy) => examineOne(policy).finally(tick), PARALLEL);

  async function examineNamed(name: string): Promise<void> {
    const policy = policies.find(({ connection }) => connection === name);
    if (!policy) return;
    const examination = await parts
      .connection(policy)
      .then((connection) => examineConnection(connection, parts))
      .catch((error) => ({ usable: false, findings: [faultFinding('server', error)] }));
    connections.set(name, examination);
  }

  async function examineOne(policy: Policy): Promise<void> {
    const timing = history?.timings.get(policy.name);
    const last = history?.last.get(policy.name);
    const usable = connections.get(policy.connection)?.usable === true;
    const due = timing && nextDue(policy, timing, parts.clock.now());
    const world = await examineWorld(policy, { usable, ledger, last, due }).catch((error) => [
      faultFinding('logins', error),
    ]);
    const hasFailed = ledger && usable && policy.type === 'logins' && last?.status === 'failed';
    // Where that cannot be asked, it is told above why.
    const adopt = hasFailed ? await examineAdoption(policy, ledger).catch(() => false) : false;
    examined.set(policy.name, [
      ...world,
      // A rotator has no second login to wait for.
      ...(policy.type === 'logins' ? [graceFinding(policy, parts.stores)] : []),
      ...(timing ? scheduleFindings(policy, { timing, last, now: parts.clock.now(), adopt }) : []),
    ]);
  }

  async function examineAdoption(policy: Policy, of: Ledger): Promise<boolean> {
    const connection = await parts.connection(policy);
    const destinations = parts.destinations(policy);
    const rotation = hypotheticalRotation(policy.name, parts.clock.now());
    await using view = openView({ connection, destinations, policy, rotation, clock: parts.clock });
    return await mustAdopt({ ...view, ledger: of });
  }

  async function examineWorld(
    policy: Policy,
    {
      last,
      ...rest
    }: {
      usable: boolean;
      ledger: Ledger | undefined;
      last: Rotation | undefined;
      due: number | undefined;
    },
  ): Promise<Finding[]> {
    const connection = await parts.connection(policy);
    const open = last?.status === 'open' ? last : undefined;
    const destinations = parts.destinations(policy);
    return examinePolicy(policy, { ...rest, connection, destinations, open, clock: parts.clock });
  }

  return [
    {
      connection: null,
      policy: null,
      findings: [...(parts.exposed ?? []).map(exposure), ...findings, ...clocks],
    },
    ...names.map((connection) => ({
      connection,
      policy: null,
      findings: connections.get(connection)?.findings ?? [],
    })),
    ...policies.map(({ name, connection }) => ({
      connection,
      policy: name,
      findings: examined.get(name) ?? [],
    })),
  ];
}

function exposure(text: string): Finding {
  return { level: 'warn', about: 'files', text };
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

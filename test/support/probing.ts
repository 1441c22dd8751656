import pino from 'pino';
import { probeTurn } from '../../jobs/probe.ts';
import type { LoginsPolicy, Policy } from '../../src/config/policy.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import { healPublished } from '../../src/roles/restore/heal-published.ts';
import { openView } from '../../src/rotation/context/open-view.ts';
import type { SetClock } from './ledger.ts';
import type { Scenario } from './scenario.ts';

/** The probes of one worker, in injected time. */
export interface Probing {
  /** Takes the turn that comes so much later. Returns how many policies were probed. */
  later(ms: number): Promise<number>;
  /** What the log has of these probes. */
  readonly said: readonly Record<string, unknown>[];
  codes(): unknown[];
}

export function probing(
  scenario: Pick<Scenario, 'connection' | 'destinations'>,
  {
    ledger,
    clock,
    policies,
  }: {
    readonly ledger: Ledger;
    readonly clock: SetClock;
    /** The same map between two edits of the configuration. */
    readonly policies: () => ReadonlyMap<string, LoginsPolicy>;
  },
): Probing {
  const { connection, destinations } = scenario;
  const said: Record<string, unknown>[] = [];
  let probed = 0;
  const view = (policy: Policy) => openView({ policy, connection, destinations, clock });
  const app = () => ({
    config: {
      policies: policies(),
      connections: new Map([[connection.name, connection]]),
      stores: new Map(),
      files: [],
      sinks: new Map(),
      history: { keep: null },
      warnings: [],
    },
    ledger: async () => ledger,
    target: async () => connection,
    faulty: () => new Error('the configuration is right'),
    view: async (policy: Policy) => view(policy),
  });
  const turn = probeTurn({
    ledger,
    log: pino({ base: null }, { write: (line: string) => said.push(JSON.parse(line)) }),
    policies,
    restore: (policy) => healPublished(app(), policy),
    openRotator: () => connect(connection),
    async openView(policy) {
      probed += 1;
      return view(policy);
    },
  });
  return {
    said,
    codes: () => said.map(({ code }) => code),
    async later(ms) {
      clock.set(clock.now() + ms);
      const before = probed;
      await turn();
      return probed - before;
    },
  };
}

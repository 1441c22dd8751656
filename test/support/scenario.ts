import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Clock, systemClock } from '../../src/clock.ts';
import type { Connection } from '../../src/config/config.ts';
import type { LoginsPolicy, Mapping, Policy } from '../../src/config/policy.ts';
import { Fault } from '../../src/facts/fault.ts';
import { credentialIn } from '../../src/formats/told-by.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import type { Reason, Rotation } from '../../src/ledger/rotation.ts';
import { connect, type Session } from '../../src/postgres/connection/connect.ts';
import { ensureDatabase } from '../../src/postgres/embedded/provision-embedded.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import type { UsePoller } from '../../src/postgres/sessions/use-poller.ts';
import { StepError } from '../../src/rotation/advance.ts';
import { openRun } from '../../src/rotation/context/open-run.ts';
import { openView } from '../../src/rotation/context/open-view.ts';
import type { OpenDestination } from '../../src/rotation/context/policy-view.ts';
import type { Preview, RotationRun } from '../../src/rotation/context/rotation-view.ts';
import { type Outcome, rotate } from '../../src/rotation/rotate.ts';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { adminOf } from './admin.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** One policy on real servers: a database, two logins, a ledger, and a file store; all with names of its own. */
export interface Scenario extends AsyncDisposable {
  /** It has two logins, unless a test gave the scenario a rotator's. */
  readonly policy: LoginsPolicy;
  readonly connection: Connection;
  readonly ledger: Ledger;
  readonly destinations: readonly [OpenDestination, ...OpenDestination[]];
  readonly store: SecretStore;
  /** A superuser's session in the target database. */
  readonly admin: pg.Client;
  /** Where the file store keeps its secrets. */
  readonly folder: string;
  request(reason?: Reason): Promise<Rotation>;
  context(rotation: Rotation): RotationRun & AsyncDisposable;
  /** What a rotation that is open, or one that is asked for, would meet now. */
  preview(open?: Rotation): Preview & AsyncDisposable;
  /** One run through the steps of a rotation, as a job does it. */
  run(rotation: Rotation): Promise<Outcome>;
  /** Runs a rotation, waiting as told, until it is done or failed. */
  finish(rotation: Rotation): Promise<Outcome>;
  published(): Promise<{ username: string; password: string }>;
  logIn(credential: { username: string; password: string }): Promise<Session>;
  /** The same with other parts: another policy, ledger, clock or destinations. */
  with(parts: Partial<ScenarioParts>): Scenario;
}

interface ScenarioParts {
  readonly policy: Policy;
  readonly connection: Connection;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Left out: each run has its own. */
  readonly poller?: UsePoller;
  readonly destinations: readonly [OpenDestination, ...OpenDestination[]];
  /** Called before a run takes the lock that several steps share. Left out: nobody is. */
  readonly beforeLock?: () => unknown;
}

/** What became of a rotation that another run ended. */
function outcomeOf({ status, rolledBackBy, lastFault }: Rotation): Outcome {
  if (status === 'done') return { status };
  if (rolledBackBy !== null) return { status: 'rolled back' };
  return {
    status: 'failed',
    error: new StepError('check', lastFault ? new Fault(lastFault) : new Error('it failed')),
  };
}

export const MAPPING: Mapping = {
  username: { secret: 'app/username' },
  password: { secret: 'app/password' },
};

export async function openScenario(
  server: ServerAddress,
  {
    logins,
    owner,
    policy: change = {},
    database: name,
  }: {
    logins?: [string, string];
    owner?: string;
    policy?: Partial<LoginsPolicy>;
    database?: string;
  } = {},
): Promise<Scenario> {
  const suffix = randomBytes(4).toString('hex');
  const database = name ?? `app_${suffix}`;
  const pair: [string, string] = logins ?? [`app_${suffix}_a`, `app_${suffix}_b`];
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-scenario-'));
  const target = { ...server, tls: { mode: 'disable' } } as const;
  {
    await using maintenance = await connect({ ...target, database: 'postgres' });
    await ensureDatabase(maintenance.client, database);
    for (const login of pair) await maintenance.client.query(`CREATE ROLE ${quoteIdentifier(login)} NOLOGIN`);
  }
  const adminSession = await adminOf(server, database);
  const pool = new pg.Pool({ ...server, database, max: 4 });
  pool.on('error', () => {});
  const store = openFileStore({ name: 'files', path: folder });

  const policy: LoginsPolicy = {
    name: `policy-${suffix}`,
    type: 'logins',
    connection: 'target',
    logins: pair,
    ...(owner === undefined ? {} : { owner }),
    autoRotate: true,
    retryFor: 60_000,
    password: { length: 32, symbols: '' },
    verify: [],
    probe: undefined,
    heal: 'alert',
    drain: { grace: 0, timeout: 5_000, onTimeout: 'terminate' },
    publish: [{ store: 'files', create: true, secrets: MAPPING }],
    ...change,
  };
  const parts: ScenarioParts = {
    policy,
    connection: { name: 'target', ...target, database },
    ledger: await openLedger(pool, systemClock),
    clock: systemClock,
    destinations: [{ name: 'files (primary)', store, create: true, secrets: MAPPING }],
  };

  const build = (own: ScenarioParts): Scenario => {
    const scenario: Scenario = {
      ...own,
      policy: own.policy as LoginsPolicy,
      store,
      admin: adminSession.client,
      folder,
      async request(reason = 'manual') {
        const id = randomUUID();
        const opened = await own.ledger.request({ id, policy: own.policy.name, reason, requestedBy: 'test' });
        if (!opened) throw new Error('no rotation was opened');
        return opened;
      },
      context(rotation) {
        const run = openRun({ ...own, rotation });
        const { holding: take } = run;
        const holding: RotationRun['holding'] = async (body) => {
          await own.beforeLock?.();
          return take(body);
        };
        return Object.defineProperty(run, 'holding', { value: holding });
      },
      preview: (open) => ({
        ...openView(own),
        ledger: own.ledger,
        rotation: open,
        reason: open?.reason ?? 'manual',
      }),
      async run(rotation) {
        const row = await own.ledger.find(rotation.id);
        if (row && row.status !== 'open') return outcomeOf(row);
        await using context = scenario.context(row ?? rotation);
        return await rotate(context);
      },
      async finish(rotation) {
        for (;;) {
          const outcome = await scenario.run(rotation);
          if (!('until' in outcome)) return outcome;
          await new Promise((resolve) => setTimeout(resolve, Math.max(0, outcome.until - own.clock.now())));
        }
      },
      async published() {
        const version = await own.destinations[0].store.read(own.destinations[0].secrets, 'current');
        const credential = credentialIn(version?.fields ?? {});
        if (credential === undefined) throw new Error('nothing is published');
        return credential;
      },
      logIn: ({ username, password }) =>
        connect({ ...own.connection, user: username, password }, { kind: 'consumer' }),
      with: (change) => build({ ...own, ...change }),
      async [Symbol.asyncDispose]() {
        await adminSession[Symbol.asyncDispose]();
        await pool.end();
        await store.close();
        // A session of its own: the server may have been stopped and started meanwhile.
        await using maintenance = await adminOf(server);
        await maintenance.client.query(`DROP DATABASE ${quoteIdentifier(database)} WITH (FORCE)`);
        for (const login of pair)
          await maintenance.client.query(`DROP ROLE IF EXISTS ${quoteIdentifier(login)}`);
        await rm(folder, { recursive: true, force: true });
      },
    };
    return scenario;
  };
  return build(parts);
}

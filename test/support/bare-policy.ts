import type pg from 'pg';
import { expect } from 'vitest';
import type { Fact } from '../../src/facts/fact.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { scramVerifier } from '../../src/postgres/logins/scram-verifier.ts';
import type { Change } from '../../src/postgres/roles/change.ts';
import { rotatorScript } from '../../src/postgres/roles/rotator-script.ts';
import { carryOut } from '../../src/roles/carry-out.ts';
import { type Dropped, dropRoles } from '../../src/roles/drop/drop-roles.ts';
import type { DropContext } from '../../src/roles/drop/refuse-drop.ts';
import { readRepairContext } from '../../src/roles/plan/repair-context.ts';
import { type PlanOptions, planRoles, type RolesPlan } from '../../src/roles/plan/roles-plan.ts';
import { planRestore, type RestoreContext, type RestorePlan } from '../../src/roles/restore/plan-restore.ts';
import { restore } from '../../src/roles/restore/restore.ts';
import type { RolesContext } from '../../src/roles/roles-context.ts';
import { adminOf } from './admin.ts';
import { openScenario, type Scenario, type ServerAddress } from './scenario.ts';
import { uniqueName } from './unique-name.ts';

type Options = Partial<PlanOptions>;

/**
 * A policy none of whose roles exists, in an empty database, with the rotator that keyturn prints
 * and no other right.
 */
export interface BarePolicy extends AsyncDisposable {
  /** With the rotator's connection. */
  readonly scenario: Scenario;
  readonly admin: pg.Client;
  readonly owner: string;
  readonly rotator: string;
  create(options?: Options): Promise<RolesPlan>;
  /** What creating would do, without doing it. */
  plan(options?: Options & Partial<Pick<RolesContext, 'sharing'>>): Promise<RolesPlan>;
  repair(options?: Options & { readonly agreed?: RolesPlan }): Promise<RolesPlan>;
  /** What a repair would do, without doing it. */
  diagnose(options?: Options): Promise<RolesPlan>;
  /**
   * As though the policy had been taken out of the configuration, unless the context says something
   * else.
   */
  drop(context?: Partial<DropContext>): Promise<Dropped>;
  /** Makes what is published log in again. Returns what that took. */
  restore(): Promise<RestorePlan>;
  /** What a restore would do, without doing it. */
  planRestore(executor?: PlanOptions['executor']): Promise<RestorePlan>;
  /** Whether the roles exist, in this order. */
  exist(...roles: string[]): Promise<boolean[]>;
  /** Resolves once the rotator waits for another session's lock. */
  isHeldUp(): Promise<void>;
  /** A session of one of the logins, whatever its password was. */
  as(login: string): Promise<pg.Client & AsyncDisposable>;
}

export async function openBarePolicy(
  server: ServerAddress,
  {
    withOwner = true,
    mayCreate = true,
    logins,
    creators = [],
    ledger,
  }: {
    readonly withOwner?: boolean;
    readonly mayCreate?: boolean;
    readonly logins?: [string, string];
    readonly creators?: readonly string[];
    /** Left out: in the target database. */
    readonly ledger?: Ledger;
  } = {},
): Promise<BarePolicy> {
  const owner = uniqueName('owner');
  const rotator = uniqueName('rotator');
  const opened = await openScenario(server, {
    ...(withOwner ? { owner } : {}),
    ...(logins ? { logins } : {}),
  });
  const { admin, policy } = opened;
  // The superuser of these servers is called keyturn, like the ledger's schema.
  await admin.query('SET search_path TO public');
  for (const login of policy.logins) await admin.query(`DROP ROLE ${quoteIdentifier(login)}`);
  const script = rotatorScript({
    rotator,
    database: opened.connection.database,
    verifier: scramVerifier('rotator-password'),
    roles: [...policy.logins, owner],
    schemas: ['public'],
    mayCreate,
  });
  for (const { sql } of script) await admin.query(sql);
  const scenario = opened.with({
    ...(ledger ? { ledger } : {}),
    connection: { ...opened.connection, user: rotator, password: 'rotator-password' },
  });

  async function within<Result>(body: (context: RolesContext) => Promise<Result>): Promise<Result> {
    const latest = await scenario.ledger.provisions.latest();
    const { connection } = scenario;
    await using session = await connect(connection);
    return await body({
      policy,
      connection,
      client: session.client,
      creators,
      remembered: latest.get(policy.name),
      sharing: [],
    });
  }
  const restoring = <Result>(body: (context: RestoreContext) => Promise<Result>) =>
    within(async (context) => {
      await using view = scenario.preview();
      return await body({ ...context, view, ledger: scenario.ledger });
    });
  const repair = () => readRepairContext(policy, scenario.ledger, scenario.destinations[0]);
  const carry = (
    kind: 'create' | 'repair',
    { agreed, ...options }: PlanOptions & { readonly agreed?: RolesPlan },
  ) =>
    within((context) =>
      carryOut(context, options, {
        ledger: scenario.ledger,
        kind,
        requestedBy: 'test',
        onChange: () => {},
        ...(agreed ? { agreed } : {}),
      }),
    );

  return {
    scenario,
    admin,
    owner,
    rotator,
    create: (asked) => carry('create', { executor: 'rotator', ...asked }),
    plan: ({ sharing = [], ...asked } = {}) =>
      within((context) => planRoles({ ...context, sharing }, { executor: 'rotator', ...asked })),
    repair: (asked) => carry('repair', { executor: 'rotator', repair, ...asked }),
    diagnose: (asked) => within((context) => planRoles(context, { executor: 'rotator', repair, ...asked })),
    drop: (context) =>
      within(({ client }) =>
        dropRoles(
          client,
          { ...policy, policy: policy.name, isConfigured: false },
          {
            ledger: scenario.ledger,
            connection: scenario.connection,
            others: [],
            destinations: [],
            requestedBy: 'test',
            ...context,
          },
        ),
      ),
    restore: () => restoring((context) => restore(context, { requestedBy: 'test' })),
    planRestore: (executor) => restoring((context) => planRestore(context, executor)),
    async exist(...roles) {
      const { rows } = await admin.query('SELECT rolname FROM pg_roles WHERE rolname = ANY ($1)', [roles]);
      return roles.map((role) => rows.some(({ rolname }) => rolname === role));
    },
    async isHeldUp() {
      await expect
        .poll(async () => {
          const { rowCount } = await admin.query(
            `SELECT FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock'`,
            [rotator],
          );
          return rowCount;
        })
        .toBe(1);
    },
    async as(login) {
      await admin.query(`ALTER ROLE ${quoteIdentifier(login)} LOGIN PASSWORD 'of-the-test'`);
      const { client } = await scenario.logIn({ username: login, password: 'of-the-test' });
      return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
    },
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]();
      await using maintenance = await adminOf(server);
      for (const role of [owner, rotator]) {
        await maintenance.client.query(`DROP ROLE IF EXISTS ${quoteIdentifier(role)}`);
      }
    },
  };
}

/** What the changes do, as facts. */
export function whatIn(changes: readonly Change[]): Fact[] {
  return changes.map(({ does }) => does);
}

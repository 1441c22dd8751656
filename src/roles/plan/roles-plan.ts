import type { Fact } from '../../facts/fact.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { ownedObjects } from '../../postgres/logins/owned-objects.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { allUsesOf } from '../all-uses-of.ts';
import type { Intent } from '../intent.ts';
import { intentOf } from '../intent-of.ts';
import type { RequestedAccess, RolesContext } from '../roles-context.ts';
import { type CurrentRoles, readCurrentRoles } from './current-roles.ts';
import { driftOf, isLeftOpen, type LoginUsage } from './drift-changes.ts';
import { excessGrants, missingGrants } from './grant-changes.ts';
import { warningsOf } from './plan-warnings.ts';
import type { RepairContext } from './repair-context.ts';
import { roleChanges } from './role-changes.ts';

/** What stands between the roles of a policy and what they are meant to be. */
export interface RolesPlan {
  readonly intent: Intent;
  readonly current: CurrentRoles;
  readonly changes: readonly Change[];
  /** Roles among the changes that do not exist yet. */
  readonly makes: readonly string[];
  /** What has drifted and is not changed. Each says why. */
  readonly left: readonly Fact[];
  readonly warnings: readonly Fact[];
}

export interface PlanOptions extends RequestedAccess {
  /** Whether the rotator makes the changes, or an administrator who runs the statements. */
  readonly executor: 'rotator' | 'administrator';
  /**
   * What a repair has to know besides. Left out: what is missing is created, and only what an
   * explicit request excludes is revoked.
   */
  readonly repair?: () => Promise<RepairContext>;
}

/** Reads the roles and compares. Changes nothing. */
export async function planRoles(context: RolesContext, options: PlanOptions): Promise<RolesPlan> {
  return planTowards(context, await intentOf(context, options), options);
}

/** The same towards an intent that was settled before. */
export async function planTowards(
  context: RolesContext,
  intent: Intent,
  options: PlanOptions,
): Promise<RolesPlan> {
  const current = await readCurrentRoles(context.client, intent);
  const to = quoteIdentifier(current.server.rotator);
  const executor =
    options.executor === 'rotator' ? ({ rotator: true } as const) : ({ rotator: false, to } as const);
  const mayRevoke = Boolean(options.repair ?? options.access ?? options.schemas);
  const drift = options.repair
    ? await driftIn(context, intent, current, await options.repair())
    : { changes: [], left: [] };
  const { logins, owner } = intent;
  return {
    intent,
    current,
    changes: [
      ...roleChanges(intent, current, executor),
      ...drift.changes,
      ...missingGrants(intent, current),
      ...(mayRevoke ? excessGrants(intent, current) : []),
    ],
    makes: [...(owner === undefined ? [] : [owner]), ...logins].filter(
      (role) => !current.standings.has(role),
    ),
    left: drift.left,
    warnings: await warningsOf(context, intent, current, {
      isRepair: options.repair !== undefined,
      mayRevoke,
    }),
  };
}

async function driftIn(
  { policy: { logins }, client, connection }: RolesContext,
  intent: Intent,
  current: CurrentRoles,
  repair: RepairContext,
) {
  // While a rotation is open no login is disabled, so nobody has to be asked who uses it.
  const open = repair.hasOpenRotation
    ? []
    : logins.filter((login) => isLeftOpen(current.logins.get(login), repair));
  const usage: LoginUsage = {
    uses: open.length === 0 ? [] : await allUsesOf(client, connection, open),
    owned: await ownedObjects(client, logins),
  };
  return driftOf(intent, current, repair, usage);
}

import type { Fact } from '../../facts/fact.ts';
import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import { type OwnedObjects, ownedObjects } from '../../postgres/logins/owned-objects.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { allUsesOf } from '../all-uses-of.ts';
import type { Intent } from '../intent.ts';
import { intentOf } from '../intent-of.ts';
import { refuseMissingRights } from '../missing-rights.ts';
import type { RequestedAccess, RolesContext } from '../roles-context.ts';
import { shellWord } from '../shell-word.ts';
import { type CurrentRoles, readCurrentRoles } from './current-roles.ts';
import { driftOf, isLeftOpen, type LoginUsage } from './drift-changes.ts';
import { excessGrants, missingGrants } from './grant-changes.ts';
import { beyondLevel, everywhereBeyond, openToAll, ownAnyway } from './grant-warnings.ts';
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
    warnings: [
      ...(options.repair ? [] : ownedByLogins(intent, await ownedObjects(context.client, logins))),
      ...(intent.access === null
        ? [fact('access-never-chosen', { policy: intent.policy })]
        : [...openToAll(intent, current), ...ownAnyway(intent, current)]),
      ...everywhereBeyond(intent, current),
      ...(mayRevoke ? sharedLevels(intent, context) : beyondLevel(intent, current)),
    ],
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

function ownedByLogins({ policy, owner }: Intent, owned: readonly OwnedObjects[]): Fact[] {
  if (owner === undefined) return [];
  return owned.map(
    ({ role, count }): Fact =>
      fact('objects-of-login', { role, count, owner }, command('roles', 'repair', policy)),
  );
}

/** Whom else a level concerns: an owner stands for the logins of every policy that has it. */
function sharedLevels({ owner, access, schemas }: Intent, { sharing }: RolesContext): Fact[] {
  if (access === null || owner === undefined) return [];
  return sharing.flatMap((other): Fact[] => {
    const common = schemas.filter((schema) => other.schemas.includes(schema));
    if (other.access === access || other.access === null || common.length === 0) return [];
    return [
      fact('owner-level-shared', {
        owner,
        access,
        schemas: common,
        otherPolicy: other.policy,
        otherAccess: other.access,
      }),
    ];
  });
}

/** Throws a fault that names every right that the rotator lacks to make the changes of a plan. */
export async function refuseUnlessAllowed(
  { policy, client }: RolesContext,
  { changes, intent, current }: RolesPlan,
  kind: 'create' | 'repair',
): Promise<void> {
  const { server, standings, database } = current;
  if (server.standby) throw fault('roles-on-standby-server', { connection: policy.connection });
  const requested =
    intent.access === null
      ? []
      : ['--access', intent.access, ...intent.schemas.flatMap((schema) => ['--schema', schema])];
  const print = ['roles', kind, policy.name, ...requested, '--sql'].map(shellWord);
  await refuseMissingRights(client, {
    changes,
    logins: policy.logins,
    mayTerminate: policy.drain.onTimeout === 'terminate',
    server,
    standings,
    bySuperuser: command(...print, '|', 'psql', '-d', shellWord(database.name)),
  });
}

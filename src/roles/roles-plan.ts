import { counted } from '../counted.ts';
import { missingPrivileges } from '../postgres/connection/rotator.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';
import { type OwnedObjects, ownedObjects } from '../postgres/logins/owned-objects.ts';
import type { Change } from '../postgres/roles/change.ts';
import { missingFindings } from '../rotation/findings/missing-findings.ts';
import { refuse } from '../rotation/findings/refuse.ts';
import { Refusal } from '../rotation/refusal.ts';
import { type Circumstances, driftOf, isLeftOpen, type Use } from './drift-changes.ts';
import {
  beyondLevel,
  everywhereBeyond,
  excessGrants,
  missingGrants,
  openToAll,
  ownAnyway,
} from './grant-changes.ts';
import { holdersOf } from './holders-of.ts';
import type { Intent } from './intent.ts';
import { intentOf } from './intent-of.ts';
import { missingRights } from './missing-rights.ts';
import { roleChanges } from './role-changes.ts';
import type { RolesContext, Wish } from './roles-context.ts';
import { shellWord } from './shell-word.ts';
import { readWorld, type World } from './world.ts';

/** What stands between the roles of a policy and what they are meant to be. */
export interface RolesPlan {
  readonly intent: Intent;
  readonly world: World;
  readonly changes: readonly Change[];
  /** Roles among the changes that do not exist yet. */
  readonly makes: readonly string[];
  /** What has drifted and is not changed, each with the reason. */
  readonly left: readonly string[];
  readonly warnings: readonly string[];
}

export interface PlanOptions extends Wish {
  /** Whether the rotator carries it out, or an administrator who runs the statements. */
  readonly executor: 'rotator' | 'administrator';
  /** What a repair looks at besides; left out: what is missing is made, and revoked only what an explicit wish excludes. */
  readonly circumstances?: () => Promise<Circumstances>;
}

/** Reads what is there and compares. Changes nothing. */
export async function planRoles(context: RolesContext, options: PlanOptions): Promise<RolesPlan> {
  return planTowards(context, await intentOf(context, options), options);
}

/** The same towards what was settled before. */
export async function planTowards(
  context: RolesContext,
  intent: Intent,
  options: PlanOptions,
): Promise<RolesPlan> {
  const world = await readWorld(context.client, intent);
  const { logins, owner } = intent;
  const to = quoteIdentifier(world.server.rotator);
  const executor =
    options.executor === 'rotator' ? ({ rotator: true } as const) : ({ rotator: false, to } as const);
  const mayRevoke = Boolean(options.circumstances ?? options.access ?? options.schemas);
  const drift = options.circumstances
    ? driftOf(intent, world, await useOf(context, world, await options.circumstances()))
    : { changes: [], left: [] };
  return {
    intent,
    world,
    changes: [
      ...roleChanges(intent, world, executor),
      ...drift.changes,
      ...missingGrants(intent, world),
      ...(mayRevoke ? excessGrants(intent, world) : []),
    ],
    makes: [...(owner === undefined ? [] : [owner]), ...logins].filter((role) => !world.standings.has(role)),
    left: drift.left,
    warnings: [
      ...(options.circumstances ? [] : ownedByLogins(intent, await ownedObjects(context.client, logins))),
      ...(intent.access === null
        ? [untouched(intent)]
        : [...openToAll(intent, world), ...ownAnyway(intent, world)]),
      ...everywhereBeyond(intent, world),
      ...(mayRevoke ? oneLevel(intent, context) : beyondLevel(intent, world)),
    ],
  };
}

async function useOf(
  { policy: { logins }, client, connection }: RolesContext,
  world: World,
  circumstances: Circumstances,
): Promise<Use> {
  // Who is not to be shut out need not be asked after.
  const open = circumstances.hasOpenRotation
    ? []
    : logins.filter((login) => isLeftOpen(world.logins.get(login), circumstances));
  return {
    ...circumstances,
    holders: open.length === 0 ? new Map() : await holdersOf(client, connection, open),
    owned: await ownedObjects(client, logins),
  };
}

function ownedByLogins({ policy, owner }: Intent, owned: readonly OwnedObjects[]): string[] {
  if (owner === undefined) return [];
  return owned.map(
    ({ role, count }) =>
      `${role} itself owns ${counted(count, 'object')}; hand them to ${owner} with: keyturn roles repair ${policy}`,
  );
}

function untouched({ policy }: Intent): string {
  return `what is granted stays as it is: no level of access was ever chosen; choose one with: keyturn roles create ${policy} --access none|read|read-write|owner`;
}

/** Whom else a level concerns: an owner stands for the logins of every policy that has it. */
function oneLevel({ owner, access, schemas }: Intent, { sharing }: RolesContext): string[] {
  if (access === null) return [];
  return sharing.flatMap((other) => {
    const common = schemas.filter((schema) => other.schemas.includes(schema));
    if (other.access === access || common.length === 0) return [];
    return `the owner ${owner} is also that of the policy ${other.policy}, for which ${other.access} was chosen in schema ${common.join(', ')}; an owner has one level there, so the logins of ${other.policy} have ${access}, too`;
  });
}

/** Throws a Refusal that names every right that the rotator lacks to carry a plan out, and what gives it. */
export async function refuseMissingRights(
  { policy, client }: RolesContext,
  { changes, intent, world }: RolesPlan,
  kind: 'create' | 'repair',
): Promise<void> {
  const { rotator, standby } = world.server;
  if (standby) {
    throw new Refusal(
      `The server of ${policy.connection} is a standby server, where roles cannot be altered; point the connection at the primary`,
    );
  }
  const mayTerminate = policy.drain.onTimeout === 'terminate';
  const wish =
    intent.access === null
      ? []
      : ['--access', intent.access, ...intent.schemas.flatMap((schema) => ['--schema', schema])];
  const print = ['keyturn', 'roles', kind, policy.name, ...wish, '--sql'].map(shellWord).join(' ');
  const missing = [
    ...(await missingPrivileges(client, policy.logins, { mayTerminate })),
    ...missingRights(changes, world, {
      to: quoteIdentifier(rotator),
      otherwise: `${print} | psql -d ${shellWord(world.database.name)}, as a superuser`,
    }),
  ];
  refuse(missingFindings(rotator, missing));
}

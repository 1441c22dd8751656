import type pg from 'pg';
import { fact } from '../facts/fact.ts';
import { fault } from '../facts/fault.ts';
import { sql } from '../facts/remedy.ts';
import { recorded } from '../ledger/audit/recorded.ts';
import { type Requester, requesterOf } from '../ledger/audit/requester.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isForbidden } from '../postgres/connection/database-error.ts';
import { withRightsOf } from '../postgres/roles/borrowed-rights.ts';
import type { Change } from '../postgres/roles/change.ts';
import { strangersMessage } from '../visible.ts';
import { printedPlan, refuseMissingPlanRights } from './plan/plan-rights.ts';
import { type PlanOptions, planRoles, planTowards, type RolesPlan } from './plan/roles-plan.ts';
import type { RolesContext } from './roles-context.ts';
import { isOfSuperuser, leftToSuperuser } from './superuser-changes.ts';
import { underLock } from './under-lock.ts';

export interface CarryOutOptions extends Requester {
  readonly ledger: Ledger;
  readonly kind: 'create' | 'repair';
  /** The plan that was shown and agreed to. Left out: whatever the plan is now. */
  readonly agreed?: RolesPlan;
  /** Called for each change once it is made. */
  readonly onChange: (change: Change) => void;
}

/**
 * Makes the changes of a plan under the policy's lock, all of them or none. Then makes those that
 * only show after that, until nothing is left. Records what was created, and what the roles are
 * meant to be from now on.
 */
export async function carryOut(
  context: RolesContext,
  planOptions: PlanOptions,
  options: CarryOutOptions,
): Promise<RolesPlan> {
  const { client, policy } = context;
  const { ledger, kind } = options;
  const action = { policy: policy.name, kind, ...requesterOf(options) };
  const told = (plan: RolesPlan) => changedFact(plan);
  return recorded({ ledger, action, told }, (begin) =>
    underLock(client, policy.logins, async () => {
      const plan = await planRoles(context, planOptions);
      if (options.agreed && sqlOf(options.agreed) !== sqlOf(plan)) {
        throw fault('roles-changed-since-shown', { policy: policy.name });
      }
      const isMeant = isMeantOtherwise(context, plan);
      if (plan.changes.length > 0 || isMeant) await begin();
      const isLeft = (change: Change) => kind === 'create' && isOfSuperuser(change, plan.current.standings);
      const only = (change: Change) => !isLeft(change);
      const changes = await makeAll(context, plan, { ...options, planOptions, only });
      // Before the commit: if that fails, the ledger names roles that do not exist, which misleads
      // nobody.
      if (changes.length > 0 || isMeant) await record(context, plan, options);
      if (!plan.changes.some(isLeft)) return { ...plan, changes };
      // What was created meanwhile may get privileges on that, too.
      const rest = (await planTowards(context, plan.intent, planOptions)).changes.filter(isLeft);
      const left = leftToSuperuser(policy.name, rest, printedPlan(context, plan, kind));
      return { ...plan, changes, left: [...plan.left, left] };
    }),
  );
}

/** What was done to the roles of a policy, for the history. */
export function changedFact({ intent, changes }: Pick<RolesPlan, 'intent' | 'changes'>) {
  const { access, schemas } = intent;
  return fact('roles-changed', { changes: changes.length, access, schemas });
}

/** Whether the roles are meant to have another level than the one that was chosen last. */
function isMeantOtherwise({ remembered }: RolesContext, { intent }: RolesPlan): boolean {
  const known = remembered?.kind === 'drop' ? undefined : remembered;
  const isNews = known?.access !== intent.access || known.schemas.join() !== intent.schemas.join();
  return intent.access !== null && isNews;
}

interface MakeOptions extends Partial<Pick<CarryOutOptions, 'onChange'>> {
  readonly kind: CarryOutOptions['kind'] | 'restore';
  readonly planOptions: PlanOptions;
  /** Which changes to make. Left out: all. */
  readonly only?: (change: Change) => boolean;
}

/**
 * Makes the changes of a plan, and then those that only show after that, until nothing is left.
 * Returns all. Needs a transaction that holds the policy's lock.
 */
export async function makeAll(
  context: RolesContext,
  plan: RolesPlan,
  { kind, planOptions, only = () => true, onChange = () => {} }: MakeOptions,
): Promise<readonly Change[]> {
  const made: Change[] = [];
  let round = plan;
  let changes = plan.changes.filter(only);
  do {
    await refuseMissingPlanRights(context, { ...round, changes }, kind);
    refuseRepeated(changes, made);
    for (const change of changes) {
      await makeChange(context.client, change);
      onChange(change);
    }
    made.push(...changes);
    round = await planTowards(context, plan.intent, planOptions);
    changes = round.changes.filter(only);
  } while (changes.length > 0);
  return made;
}

/** Makes one change. Needs a transaction that holds the policy's lock. */
export async function makeChange(
  client: pg.ClientBase,
  { does, sql: statement, rights = [] }: Change,
): Promise<void> {
  try {
    await withRightsOf(client, rights, async () => {
      await client.query(statement);
    });
  } catch (cause) {
    const detail = strangersMessage((cause as Error).message);
    // To hand over a schema, for instance, takes more than the rights of both roles.
    const remedies = isForbidden(cause) ? [sql(statement)] : [];
    throw fault('role-change-failed', { change: does, detail }, { cause, remedies });
  }
}

/** PostgreSQL only warns where a grant has no effect. */
function refuseRepeated(changes: readonly Change[], made: readonly Change[]): void {
  const repeated = changes.filter((change) => made.some((each) => each.sql === change.sql));
  if (repeated.length === 0) return;
  throw fault(
    'role-changes-without-effect',
    { changes: repeated.map(({ does }) => does) },
    { remedies: [sql(...repeated.map((change) => change.sql))] },
  );
}

async function record(
  { policy }: RolesContext,
  { intent, makes }: RolesPlan,
  { ledger, kind, requestedBy }: CarryOutOptions,
): Promise<void> {
  await ledger.provisions.record({
    policy: policy.name,
    kind,
    connection: policy.connection,
    logins: intent.logins,
    owner: intent.owner ?? null,
    access: intent.access,
    schemas: intent.schemas,
    made: makes,
    dropped: [],
    deactivated: [],
    requestedBy,
  });
}

function sqlOf({ changes }: RolesPlan): string {
  return changes.map((change) => change.sql).join(';\n');
}

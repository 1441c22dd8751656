import type { Ledger } from '../ledger/ledger.ts';
import { withRightsOf } from '../postgres/roles/borrowed-rights.ts';
import type { Change } from '../postgres/roles/change.ts';
import { Refusal } from '../rotation/refusal.ts';
import type { RolesContext } from './roles-context.ts';
import { type PlanOptions, planRoles, type RolesPlan, refuseMissingRights } from './roles-plan.ts';
import { underLock } from './under-lock.ts';

/**
 * Carries a plan out, all of it or nothing, under the policy's lock, and looks whether it took. `onChange` hears of each
 * change as it is made. Records what was made, and what the roles are meant to be from now on.
 */
export async function carryOut(
  context: RolesContext,
  options: PlanOptions,
  {
    ledger,
    kind,
    requestedBy,
    agreed,
    onChange,
  }: {
    readonly ledger: Ledger;
    readonly kind: 'create' | 'repair';
    readonly requestedBy: string;
    /** What was shown and agreed to; left out: whatever the plan is. */
    readonly agreed?: RolesPlan;
    readonly onChange: (change: Change) => void;
  },
): Promise<RolesPlan> {
  const { client, policy, remembered } = context;
  return underLock(client, policy.logins, async () => {
    const plan = await planRoles(context, options);
    if (agreed && sqlOf(agreed) !== sqlOf(plan)) {
      throw new Refusal(
        `The roles of ${policy.name} have changed since they were looked at; nothing was done, look again`,
      );
    }
    await refuseMissingRights(context, plan, kind);
    for (const change of plan.changes) {
      await withRightsOf(client, change.rights ?? [], async () => {
        await client.query(change.sql);
      }).catch((cause: Error & { readonly code?: unknown }) => {
        // To hand over a schema, for instance, takes more than the rights of both roles.
        const remedy = cause.code === '42501' ? `; have an administrator run it: ${change.sql}` : '';
        throw new Error(`Nothing was changed, for this failed: ${change.what}: ${cause.message}${remedy}`, {
          cause,
        });
      });
      onChange(change);
    }
    // PostgreSQL only warns where a grant has no effect.
    if (plan.changes.length > 0) await refuseLeftOver(context, options, plan);
    const { intent, makes } = plan;
    const known = remembered?.kind === 'drop' ? undefined : remembered;
    const isNews = known?.access !== intent.access || known.schemas.join() !== intent.schemas.join();
    if (plan.changes.length > 0 || (intent.access !== null && isNews)) {
      // Before the commit: of a role that was made and then not, nobody is misled.
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
    return plan;
  });
}

async function refuseLeftOver(
  context: RolesContext,
  options: PlanOptions,
  { intent: { access, schemas } }: RolesPlan,
): Promise<void> {
  const { changes } = await planRoles(context, {
    ...options,
    ...(access === null ? {} : { access }),
    schemas,
  });
  if (changes.length === 0) return;
  throw new Refusal(
    `PostgreSQL let this pass without an effect, so nothing was changed: ${changes.map(({ what }) => what).join('; ')}; have an administrator run it: ${changes.map(({ sql }) => sql).join('; ')}`,
  );
}

function sqlOf({ changes }: RolesPlan): string {
  return changes.map(({ sql }) => sql).join(';\n');
}

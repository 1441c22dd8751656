import type { Ledger } from '../ledger/ledger.ts';
import { isForbidden } from '../postgres/connection/database-error.ts';
import { withRightsOf } from '../postgres/roles/borrowed-rights.ts';
import type { Change } from '../postgres/roles/change.ts';
import { Refusal } from '../rotation/refusal.ts';
import type { RolesContext } from './roles-context.ts';
import {
  type PlanOptions,
  planRoles,
  planTowards,
  type RolesPlan,
  refuseMissingRights,
} from './roles-plan.ts';
import { underLock } from './under-lock.ts';

/**
 * Carries a plan out, all of it or nothing, under the policy's lock, then what only shows after that, until nothing is left.
 * `onChange` hears of each change as it is made. Records what was made, and what the roles are meant to be from now on.
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
    const { intent, makes } = plan;
    const changes: Change[] = [];
    let round = plan;
    do {
      await refuseMissingRights(context, round, kind);
      refuseRepeated(round.changes, changes);
      for (const change of round.changes) {
        await withRightsOf(client, change.rights ?? [], async () => {
          await client.query(change.sql);
        }).catch((cause: Error) => {
          // To hand over a schema, for instance, takes more than the rights of both roles.
          const remedy = isForbidden(cause) ? `; have an administrator run it: ${change.sql}` : '';
          throw new Error(`Nothing was changed, for this failed: ${change.what}: ${cause.message}${remedy}`, {
            cause,
          });
        });
        onChange(change);
      }
      changes.push(...round.changes);
      round = await planTowards(context, intent, options);
    } while (round.changes.length > 0);
    const known = remembered?.kind === 'drop' ? undefined : remembered;
    const isNews = known?.access !== intent.access || known.schemas.join() !== intent.schemas.join();
    if (changes.length > 0 || (intent.access !== null && isNews)) {
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
    return { ...plan, changes };
  });
}

/** PostgreSQL only warns where a grant has no effect. */
function refuseRepeated(changes: readonly Change[], carriedOut: readonly Change[]): void {
  const repeated = changes.filter(({ sql }) => carriedOut.some((change) => change.sql === sql));
  if (repeated.length === 0) return;
  throw new Refusal(
    `PostgreSQL let this pass without an effect, so nothing was changed: ${repeated.map(({ what }) => what).join('; ')}; have an administrator run it: ${repeated.map(({ sql }) => sql).join('; ')}`,
  );
}

function sqlOf({ changes }: RolesPlan): string {
  return changes.map(({ sql }) => sql).join(';\n');
}

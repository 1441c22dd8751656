import type { Policy } from '../../config/policy.ts';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import type { PolicyView } from '../../rotation/context/policy-view.ts';
import { type RolesParts, withRoles } from '../with-roles.ts';
import type { RestoreContext } from './plan-restore.ts';

export interface RestoreParts extends RolesParts {
  view(policy: Policy): Promise<PolicyView & AsyncDisposable>;
}

/** Opens what restoring a policy needs, for one use. Throws a fault for a rotator policy. */
export async function withRestore<Result>(
  app: RestoreParts,
  policy: Policy,
  body: (context: RestoreContext) => Promise<Result>,
): Promise<Result> {
  if (policy.type === 'rotator') {
    const [login] = policy.logins;
    const remedies = [command('doctor', policy.name)];
    throw fault('restore-of-rotator', { policy: policy.name, login }, { remedies });
  }
  const ledger = await app.ledger();
  return withRoles(app, policy, async (roles) => {
    await using view = await app.view(policy);
    return await body({ ...roles, view, ledger });
  });
}

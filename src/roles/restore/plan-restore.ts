import { type Fact, fact } from '../../facts/fact.ts';
import { Fault, fault } from '../../facts/fault.ts';
import type { Credential } from '../../formats/told-by.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { isLimitOfRole, refusedAs } from '../../postgres/connection/refused-as.ts';
import { versionVerifier } from '../../postgres/logins/scram-verifier.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { setPassword } from '../../postgres/roles/role-statements.ts';
import type { PolicyView } from '../../rotation/context/policy-view.ts';
import { isOfNoUse, proveConsumer } from '../../rotation/proof/prove-consumer.ts';
import { refusalIn } from '../../rotation/server-fault.ts';
import { type PlanOptions, planRoles, type RolesPlan } from '../plan/roles-plan.ts';
import type { RolesContext } from '../roles-context.ts';
import { publishedCredential } from './published-credential.ts';

/** What stands between a policy's published credential and a login. */
export interface RestorePlan {
  readonly credential: Credential;
  /** Of the version that is published. */
  readonly token: string | undefined;
  /** Why PostgreSQL refuses it; undefined: it logs in, and there is nothing to change. */
  readonly refused: Fact | undefined;
  readonly changes: readonly Change[];
  /** What the roles of the policy lack. */
  readonly roles: RolesPlan;
  readonly rolesOptions: PlanOptions;
}

export interface RestoreContext extends RolesContext {
  readonly view: PolicyView;
  readonly ledger: Ledger;
}

/**
 * Looks whether what the primary publishes logs in, and what has to change where it does not.
 * Changes nothing. Throws a fault where that would be no restoring, or where PostgreSQL was not
 * asked.
 */
export async function planRestore(
  context: RestoreContext,
  executor: PlanOptions['executor'] = 'rotator',
): Promise<RestorePlan> {
  const { policy, view, ledger } = context;
  const [open] = await ledger.open(policy.name);
  if (open?.publishedAt === null) {
    throw fault('restore-during-rotation', { policy: policy.name, rotation: open.id });
  }
  const { refuseOthers, token, ...credential } = await publishedCredential(view, { ledger, open });
  const refused = await refusalOf(view, credential);
  if (refused) await refuseOthers();
  const rolesOptions: PlanOptions = {
    executor,
    repair: async () => ({
      published: credential.username,
      hasOpenRotation: open !== undefined,
      made: await ledger.provisions.made(policy.connection),
    }),
  };
  const roles = await planRoles(context, rolesOptions);
  const changes = refused
    ? [
        ...roles.changes.filter(letsIn(context, { login: credential.username, makes: roles.makes })),
        passwordChange(context, credential, token),
      ]
    : [];
  return { credential, token, refused, changes, roles, rolesOptions };
}

/** What `roles repair` would put back that may keep a login out. */
const LETS_IN: readonly Fact['code'][] = [
  'create-role',
  'grant-admin-option',
  'grant-membership',
  'set-default-role',
  'grant-connect',
  'enable-login',
  'remove-past-expiry',
  'remove-connection-limit',
];

/**
 * Whether a change concerns the login or the policy's owner, and lets the login in again, or gives
 * a role that is made anew what it had.
 */
export function letsIn(
  { policy: { logins } }: RolesContext,
  { login, makes }: { readonly login: string; readonly makes: RolesPlan['makes'] },
): (change: Change) => boolean {
  const other = logins.find((each) => each !== login);
  return ({ does }) =>
    does.code === 'grant-privileges'
      ? makes.includes(does.params.grantee)
      : LETS_IN.includes(does.code) && !Object.values(does.params).includes(other);
}

export function passwordChange(
  { view }: RestoreContext,
  credential: Credential,
  token: string | undefined,
): Change {
  const { username } = credential;
  const [{ name: destination }] = view.destinations;
  return {
    does: fact('restore-sets-password', { login: username, destination }),
    sql: setPassword(username, versionVerifier(credential, token)),
  };
}

/**
 * Why PostgreSQL refuses a credential; undefined when it logs in. Throws where no change of a role
 * would help: the server is away, or pg_hba.conf keeps the login out.
 */
export async function refusalOf(view: PolicyView, credential: Credential): Promise<Fact | undefined> {
  try {
    await proveConsumer(view, { credential });
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault) || refusedAs(error) === 'entry') throw error;
    if (isOfNoUse(error) || isLimitOfRole(error)) return refusalIn(error);
    throw error;
  }
}

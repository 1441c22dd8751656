import type { StepName } from '../../ledger/rotation.ts';
import { DatabaseError } from '../../postgres/connection/database-error.ts';
import { isLimitOfRole, refusedAs } from '../../postgres/connection/refused-as.ts';
import { type PolicyLock, withPolicyLock } from '../../postgres/locks/policy-lock.ts';
import { changePassword } from '../../postgres/logins/change-password.ts';
import { letBackIn, repairsOf } from '../../postgres/logins/let-back-in.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import { scramVerifier } from '../../postgres/logins/scram-verifier.ts';
import { lockOf } from '../context/lock-of.ts';
import {
  holdsAny,
  incomingLogin,
  otherLogin,
  type RotationContext,
  stagedCredential,
} from '../context/rotation-context.ts';
import { NoWayForward } from '../no-way-forward.ts';
import { Refusal } from '../refusal.ts';
import { refuseSuperseded } from '../superseded.ts';
import { warn } from '../warn.ts';
import { proveLogin } from './prove-login.ts';

interface Under {
  /** Throws where there is nothing to prove. */
  readonly check?: () => Promise<void>;
  readonly act: (lock: PolicyLock) => Promise<void>;
}

/**
 * Runs `act` under the policy's lock, right after the login that this rotation makes current has logged in afresh. Where
 * PostgreSQL refuses it though something publishes it, the store is the journal: its password is set again from there,
 * and proven anew. As long as it is refused nothing else changes, and what was thrown says why.
 */
export async function withProvenLogin(
  context: RotationContext,
  step: StepName,
  { check, act }: Under,
): Promise<void> {
  const client = await context.rotator();
  // What is altered is seen by a fresh session only once it is committed, so each try is a transaction of its own.
  for (let isMended = false; ; isMended = true) {
    const isDone = await withPolicyLock(client, lockOf(context), async (lock) => {
      await refuseSuperseded(context);
      context.forget();
      await check?.();
      const refused = await refusalOfLogin(context);
      if (refused === undefined) {
        await act(lock);
        return true;
      }
      if (isMended || !(await isToMend(context, refused))) throw refused;
      await refuseAltered(context, refused);
      await setAgain(context, step);
      return false;
    });
    if (isDone) return;
  }
}

/** Why PostgreSQL refuses the login that this rotation makes current; undefined when it logs in. Throws where it was not asked. */
async function refusalOfLogin(context: RotationContext): Promise<DatabaseError | undefined> {
  try {
    await using _session = await proveLogin(context);
    return undefined;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (isLimitOfRole(error)) return (await isFullOnly(context)) ? undefined : error;
    if (error.kind === 'authentication' || error.kind === 'privilege') return error;
    throw error;
  }
}

/**
 * Whether a login that is refused for its CONNECTION LIMIT only has as many sessions as it may: PostgreSQL looks at the
 * limit after the password, LOGIN and VALID UNTIL, so that is a proof of all these.
 */
async function isFullOnly(context: RotationContext): Promise<boolean> {
  const { login, other } = await bothLogins(context);
  return login?.mayConnect === true && repairsOf(login, other).length === 0;
}

/**
 * Whether to set the password again: consumers read it already, or it is the one to go back to. Not where pg_hba.conf or
 * a right on the database keeps the login out.
 */
async function isToMend(context: RotationContext, refused: DatabaseError): Promise<boolean> {
  if (refused.kind === 'privilege' || refusedAs(refused) === 'entry') return false;
  return context.rotation.rolledBackTo !== null || (await isPublishedAnywhere(context));
}

/** What somebody altered in its place has its token still, but is nothing that keyturn would give a login. */
async function refuseAltered(context: RotationContext, refused: DatabaseError): Promise<void> {
  const { policy, rotation } = context;
  for (const destination of context.destinations) {
    if (!(await context.read(destination, 'current'))?.edited) continue;
    const back = rotation.reason === 'emergency' ? '' : `, go back: keyturn rollback ${policy.name}`;
    throw new NoWayForward(
      `What ${destination.name} publishes was altered in its place, and is refused: ${refused.message}; put it right${back}, or end this rotation and begin another: keyturn rotate ${policy.name} --emergency`,
      { cause: refused },
    );
  }
}

/** Whether any destination publishes this rotation's version in any of its secrets. */
export async function isPublishedAnywhere(context: RotationContext): Promise<boolean> {
  for (const destination of context.destinations) if (await holdsAny(context, destination)) return true;
  return false;
}

/**
 * Gives the login that this rotation makes current its password from the store again, and what else lets it in. The
 * history has that before. Needs the policy's lock. Throws a Refusal where the login does not exist any more.
 */
export async function setAgain(context: RotationContext, step: StepName): Promise<void> {
  const incoming = incomingLogin(context);
  const client = await context.rotator();
  const verifier = scramVerifier((await stagedCredential(context)).password);
  const { login, other } = await bothLogins(context);
  const [primary] = context.destinations;
  if (!login) {
    const stays = other === undefined ? '' : `, so ${other.name} stays as it is`;
    throw new Refusal(
      `${primary.name} publishes ${incoming}, which does not exist any more${stays}; make it anew and this rotation gives it its password: keyturn roles create ${context.policy.name}`,
    );
  }
  const repairs = context.policy.type === 'rotator' ? [] : repairsOf(login, other);
  const more = repairs.length === 0 ? '' : `, with ${repairs.join(' ')}`;
  await warn(
    context,
    step,
    `PostgreSQL refused ${incoming}: its password is set again from ${primary.name}${more}; find out what altered it`,
  );
  if (context.policy.type === 'rotator') await changePassword(client, incoming, verifier);
  else await letBackIn(client, incoming, { verifier, repairs });
}

async function bothLogins(context: RotationContext) {
  const [name, otherName] = [incomingLogin(context), otherLogin(context)];
  const found = await readLogins(
    await context.rotator(),
    otherName === undefined ? [name] : [name, otherName],
  );
  return {
    login: found.get(name),
    other: otherName === undefined ? undefined : found.get(otherName),
  };
}

import { fact } from '../../facts/fact.ts';
import { Fault, factOf, fault, isFault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import type { StepName } from '../../ledger/rotation.ts';
import { isLimitOfRole, refusedAs } from '../../postgres/connection/refused-as.ts';
import type { PolicyLock } from '../../postgres/locks/policy-lock.ts';
import { changePassword } from '../../postgres/logins/change-password.ts';
import { letBackIn, repairsOf } from '../../postgres/logins/let-back-in.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import { versionVerifier } from '../../postgres/logins/scram-verifier.ts';
import { holdsAny, tokenOf } from '../context/holds.ts';
import { incomingLogin, loginsOf } from '../context/rotation-logins.ts';
import type { HeldLock, RotationRun } from '../context/rotation-view.ts';
import { stagedCredential } from '../context/staged-credential.ts';
import { isKeptOut } from '../server-fault.ts';
import { warn } from '../warn.ts';
import { proveStaged } from './prove-login.ts';

interface Under {
  /** Throws where there is nothing to prove. */
  readonly check?: () => Promise<void>;
  readonly act: (lock: PolicyLock) => Promise<void>;
}

/**
 * Runs `act` under the policy's lock, right after the login that this rotation makes current has
 * logged in afresh. Where PostgreSQL refuses it though something publishes it, the store is the
 * journal: its password is set again from there, and proven anew. As long as it is refused nothing
 * else changes, and what was thrown says why.
 */
export async function withProvenLogin(
  context: RotationRun,
  step: StepName,
  { check, act }: Under,
): Promise<void> {
  // A fresh session sees a change only once it is committed, so each try is a transaction of its
  // own. Under a lock that is held for longer nothing is mended; the next run takes its own.
  const mayMend = context.held === undefined;
  for (let isMended = false; ; isMended = true) {
    const isDone = await context.underLock(async (lock) => {
      await check?.();
      const refused = isProven(lock) ? undefined : await refusalOfLogin(context);
      if (refused === undefined) {
        await act(lock);
        return true;
      }
      if (isMended || !mayMend || !(await isToMend(context, refused))) throw refused;
      await refuseAltered(context, refused);
      await setAgain(context, step);
      return false;
    });
    if (isDone) return;
  }
}

/** For how long a login counts as fresh, in milliseconds, if nobody gave up the lock since. */
const FRESH_MS = 1_000;

function isProven({ provenAt }: HeldLock): boolean {
  return provenAt !== undefined && performance.now() - provenAt < FRESH_MS;
}

/**
 * Why PostgreSQL refuses the login that this rotation makes current; undefined when it logs in.
 * Throws where it was not asked.
 */
async function refusalOfLogin(context: RotationRun): Promise<Fault | undefined> {
  try {
    await using _session = await proveStaged(context);
    return undefined;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (isLimitOfRole(error)) return (await isFullOnly(context)) ? undefined : error;
    if (isKeptOut(error)) return error;
    throw error;
  }
}

/**
 * Whether a login that is refused for its CONNECTION LIMIT only has as many sessions as it may:
 * PostgreSQL looks at the limit after the password, LOGIN and VALID UNTIL, so that is a proof of
 * all these.
 */
async function isFullOnly(context: RotationRun): Promise<boolean> {
  const { login, other } = await bothLogins(context);
  return login?.mayConnect === true && repairsOf(login, other).length === 0;
}

/**
 * Whether to set the password again: consumers read it already, or it is the one to go back to. Not
 * where pg_hba.conf or a right on the database keeps the login out.
 */
async function isToMend(context: RotationRun, refused: Fault): Promise<boolean> {
  if (isFault(refused, 'privilege-missing') || refusedAs(refused) === 'entry') return false;
  return context.rotation.rolledBackTo !== null || (await isPublishedAnywhere(context));
}

/** A version that somebody edited still has its token. keyturn sets no password from it. */
async function refuseAltered(context: RotationRun, refused: Fault): Promise<void> {
  const { policy, rotation } = context;
  for (const destination of context.destinations) {
    if (!(await context.read(destination, 'current'))?.edited) continue;
    const mayGoBack = rotation.reason !== 'emergency';
    throw fault(
      'published-password-altered',
      { destination: destination.name, mayGoBack, cause: factOf(refused) },
      {
        cause: refused,
        remedies: [
          ...(mayGoBack ? [command('rollback', policy.name)] : []),
          command('rotate', policy.name, '--emergency'),
        ],
      },
    );
  }
}

/** Whether any destination publishes this rotation's version in any of its secrets. */
export async function isPublishedAnywhere(context: RotationRun): Promise<boolean> {
  for (const destination of context.destinations) if (await holdsAny(context, destination)) return true;
  return false;
}

/**
 * Gives the login that this rotation makes current its password from the store again, and what else
 * lets it in. The history has that before. Needs the policy's lock. Throws where the login does not
 * exist any more.
 */
export async function setAgain(context: RotationRun, step: StepName): Promise<void> {
  const incoming = incomingLogin(context);
  const client = await context.rotator();
  const verifier = versionVerifier(await stagedCredential(context), tokenOf(context));
  const { login, other } = await bothLogins(context);
  const [primary] = context.destinations;
  if (!login) {
    throw fault(
      'published-login-dropped',
      { destination: primary.name, login: incoming, outgoing: other?.name ?? null },
      { remedies: [command('roles', 'create', context.policy.name)] },
    );
  }
  const repairs = context.policy.type === 'rotator' ? [] : repairsOf(login, other);
  await warn(context, step, {
    fact: fact('password-set-again', { login: incoming, destination: primary.name, repairs }),
    subject: [incoming, ...repairs].join(' '),
  });
  if (context.policy.type === 'rotator') await changePassword(client, incoming, verifier);
  else await letBackIn(client, incoming, { verifier, repairs });
}

async function bothLogins(context: RotationRun) {
  const { incoming: name, outgoing: otherName } = loginsOf(context);
  const found = await readLogins(await context.rotator(), otherName === null ? [name] : [name, otherName]);
  return {
    login: found.get(name),
    other: otherName === null ? undefined : found.get(otherName),
  };
}

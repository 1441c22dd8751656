import type { LoginsPolicy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { asksForMd5 } from '../../postgres/connection/scram-fault.ts';
import { canLogIn, enableLogin } from '../../postgres/logins/login.ts';
import { versionVerifier } from '../../postgres/logins/scram-verifier.ts';
import { holdsAny, isPublished, tokenOf } from '../context/holds.ts';
import { publisherOf } from '../context/publisher-of.ts';
import { frozenLogins } from '../context/rotation-logins.ts';
import type { LoginsRun } from '../context/rotation-view.ts';
import { stagedCredential } from '../context/staged-credential.ts';
import { proveStaged } from '../proof/prove-login.ts';
import { setAgain } from '../proof/proven-login.ts';
import { servedBy } from '../proof/served-by.ts';
import { rethrowNamingPrivileges } from '../refusals/refuse-missing-privileges.ts';
import { isRefused, isRoleGone } from '../server-fault.ts';
import type { Step } from '../step.ts';

/** Gives the incoming login the staged password. */
export const set: Step<LoginsPolicy> = {
  name: 'set',
  async isDone(context) {
    if (await isPublished(context)) return true;
    const { incoming } = frozenLogins(context);
    if (context.rotation.setBegunAt === null) return false;
    // Asked first, so that PostgreSQL does not log a refused login in every rotation.
    if (!(await canLogIn(await context.rotator(), incoming))) return false;
    try {
      await using _session = await proveStaged(context);
      return true;
    } catch (error) {
      if (isRefused(error)) return false;
      // keyturn sets SCRAM verifiers, so an MD5 hash is that of another password.
      if (asksForMd5(error)) return false;
      throw error;
    }
  },
  async run(context) {
    const { incoming } = frozenLogins(context);
    const verifier = versionVerifier(await stagedCredential(context), tokenOf(context));
    const client = await context.rotator();
    await context
      .underLock(async () => {
        const publisher = await publisherOf(context, incoming);
        if (!publisher) return enableLogin(client, incoming, verifier);
        // A promotion of this rotation has reached some secrets: consumers that read them must get
        // in.
        if (await holdsAny(context, publisher)) return setAgain(context, 'set');
        const served = await servedBy(context, incoming);
        if (!served) return enableLogin(client, incoming, verifier);
        throw fault('incoming-login-published', { destination: served.name, login: incoming });
      })
      .catch((error: unknown) => rethrowNaming(context, error));
    return undefined;
  },
  async describe(_preview, { incoming }) {
    return fact('plan-set', { login: incoming });
  },
};

async function rethrowNaming(context: LoginsRun, error: unknown): Promise<never> {
  if (!isRoleGone(error)) return rethrowNamingPrivileges(context, error);
  throw fault(
    'incoming-login-dropped',
    { login: frozenLogins(context).incoming },
    { cause: error, remedies: [command('roles', 'create', context.policy.name)] },
  );
}

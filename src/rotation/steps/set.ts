import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { asksForMd5 } from '../../postgres/connection/scram-fault.ts';
import { enableLogin, readLogins } from '../../postgres/logins/login.ts';
import { scramVerifier } from '../../postgres/logins/scram-verifier.ts';
import { publisherOf } from '../context/publisher-of.ts';
import {
  frozenLogins,
  holdsAny,
  isPublished,
  type LoginsContext,
  stagedCredential,
} from '../context/rotation-context.ts';
import { underLock } from '../context/under-lock.ts';
import { proveLogin } from '../proof/prove-login.ts';
import { setAgain } from '../proof/proven-login.ts';
import { rethrowNamingPrivileges } from '../refusals/refuse-missing-privileges.ts';
import { isRefused } from '../server-fault.ts';
import type { Step } from '../step.ts';

/** Gives the incoming login the staged password. */
export const set: Step<LoginsContext> = {
  name: 'set',
  async isDone(context) {
    if (await isPublished(context)) return true;
    const { incoming } = frozenLogins(context);
    // Asked first, so that PostgreSQL does not log a refused login in every rotation.
    const login = (await readLogins(await context.rotator(), [incoming])).get(incoming);
    if (!login?.canLogin) return false;
    try {
      await using _session = await proveLogin(context);
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
    const verifier = scramVerifier((await stagedCredential(context)).password);
    const client = await context.rotator();
    await underLock(context, async () => {
      const publisher = await publisherOf(context, incoming);
      if (!publisher) return enableLogin(client, incoming, verifier);
      // A promotion of this rotation has reached some secrets: consumers that read them must get
      // in.
      if (await holdsAny(context, publisher)) return setAgain(context, 'set');
      throw fault('incoming-login-published', { destination: publisher.name, login: incoming });
    }).catch((error: unknown) => rethrowNaming(context, error));
    return undefined;
  },
  async describe(context) {
    return fact('plan-set', { login: frozenLogins(context).incoming });
  },
};

/** SQLSTATE undefined_object: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNDEFINED_OBJECT = '42704';

async function rethrowNaming(context: LoginsContext, error: unknown): Promise<never> {
  if ((error as { code?: unknown }).code !== UNDEFINED_OBJECT) return rethrowNamingPrivileges(context, error);
  throw fault(
    'incoming-login-dropped',
    { login: frozenLogins(context).incoming },
    { cause: error, remedies: [command('roles', 'create', context.policy.name)] },
  );
}

import { DatabaseError } from '../../postgres/connection/database-error.ts';
import { asksForMd5 } from '../../postgres/connection/scram-fault.ts';
import { withPolicyLock } from '../../postgres/locks/policy-lock.ts';
import { enableLogin, readLogins } from '../../postgres/logins/login.ts';
import { scramVerifier } from '../../postgres/logins/scram-verifier.ts';
import { lockOf } from '../context/lock-of.ts';
import { publisherOf } from '../context/publisher-of.ts';
import {
  frozenLogins,
  holdsAny,
  isPublished,
  type LoginsContext,
  stagedCredential,
} from '../context/rotation-context.ts';
import { proveLogin } from '../proof/prove-login.ts';
import { setAgain } from '../proof/proven-login.ts';
import { Refusal } from '../refusal.ts';
import { rethrowNamingPrivileges } from '../refuse-missing-privileges.ts';
import type { Step } from '../step.ts';
import { refuseSuperseded } from '../superseded.ts';

/** Gives the incoming login the staged password. */
export const set: Step<LoginsContext> = {
  name: 'set',
  async isDone(context) {
    if (await isPublished(context)) return true;
    const { incoming } = frozenLogins(context);
    // Asked first, so that a rotation does not leave a refused login in PostgreSQL's log every time.
    const login = (await readLogins(await context.rotator(), [incoming])).get(incoming);
    if (!login?.canLogin) return false;
    try {
      await using _session = await proveLogin(context);
      return true;
    } catch (error) {
      if (error instanceof DatabaseError && error.kind === 'authentication') return false;
      // What is staged is set as a SCRAM verifier, so an MD5 hash is that of another password.
      if (asksForMd5(error)) return false;
      throw error;
    }
  },
  async run(context) {
    const { incoming } = frozenLogins(context);
    const verifier = scramVerifier((await stagedCredential(context)).password);
    const client = await context.rotator();
    await withPolicyLock(client, lockOf(context), async () => {
      await refuseSuperseded(context);
      context.forget();
      const publisher = await publisherOf(context, incoming);
      if (!publisher) return enableLogin(client, incoming, verifier);
      // A promotion of this rotation that reached some secrets: those who read them have to be let in.
      if (await holdsAny(context, publisher)) return setAgain(context, 'set');
      throw new Refusal(`${publisher.name} publishes ${incoming} by now; its password stays as it is`);
    }).catch((error: unknown) => rethrowNaming(context, error));
    return undefined;
  },
  async describe(context) {
    return `alters ${frozenLogins(context).incoming}: LOGIN and the new password, as a SCRAM-SHA-256 verifier`;
  },
};

/** SQLSTATE undefined_object: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNDEFINED_OBJECT = '42704';

async function rethrowNaming(context: LoginsContext, error: unknown): Promise<never> {
  if ((error as { code?: unknown }).code !== UNDEFINED_OBJECT) return rethrowNamingPrivileges(context, error);
  const { name } = context.policy;
  throw new Refusal(
    `The login ${frozenLogins(context).incoming} does not exist any more; make it anew: keyturn roles create ${name}`,
    { cause: error },
  );
}

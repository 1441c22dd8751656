import { DatabaseError } from '../../postgres/database-error.ts';
import { enableLogin, readLogins } from '../../postgres/login.ts';
import { withPolicyLock } from '../../postgres/policy-lock.ts';
import { scramVerifier } from '../../postgres/scram-verifier.ts';
import { lockOf } from '../lock-of.ts';
import { proveLogin } from '../prove-login.ts';
import { publisherOf } from '../publisher-of.ts';
import { Refusal } from '../refusal.ts';
import { rethrowNamingPrivileges } from '../refuse-missing-privileges.ts';
import { frozenLogins, isPublished, stagedCredential } from '../rotation-context.ts';
import type { Step } from '../step.ts';
import { refuseSuperseded } from '../superseded.ts';

/** Gives the incoming login the staged password. */
export const set: Step = {
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
      if (publisher) {
        throw new Refusal(`${publisher.name} publishes ${incoming} by now; its password stays as it is`);
      }
      await enableLogin(client, incoming, verifier);
    }).catch((error: unknown) => rethrowNamingPrivileges(context, error));
    return undefined;
  },
  async describe(context) {
    return `alters ${frozenLogins(context).incoming}: LOGIN and the new password, as a SCRAM-SHA-256 verifier`;
  },
};

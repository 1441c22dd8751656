import { fact } from '../../facts/fact.ts';
import { changePassword } from '../../postgres/logins/change-password.ts';
import { versionVerifier } from '../../postgres/logins/scram-verifier.ts';
import { tokenOf } from '../context/holds.ts';
import { stagedCredential } from '../context/staged-credential.ts';
import type { Step } from '../step.ts';
import { isSet } from './is-set.ts';

/**
 * The rotator gives itself the staged password. What it had until now is refused from here on, so
 * there is no way back.
 */
export const setRotator: Step = {
  name: 'set',
  isDone: isSet,
  async run(context) {
    const credential = await stagedCredential(context);
    const verifier = versionVerifier(credential, tokenOf(context));
    const client = await context.rotator();
    await context.underLock(() => changePassword(client, credential.username, verifier));
    return undefined;
  },
  async describe(_preview, { incoming }) {
    return fact('plan-set-rotator', { login: incoming });
  },
};

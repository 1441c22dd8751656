import { changePassword } from '../../postgres/change-password.ts';
import { withPolicyLock } from '../../postgres/policy-lock.ts';
import { scramVerifier } from '../../postgres/scram-verifier.ts';
import { lockOf } from '../lock-of.ts';
import { incomingLogin, stagedCredential } from '../rotation-context.ts';
import type { Step } from '../step.ts';
import { refuseSuperseded } from '../superseded.ts';
import { isSet } from './is-set.ts';

/** The rotator gives itself the staged password. What it had until now is refused from here on, so there is no way back. */
export const setRotator: Step = {
  name: 'set',
  isDone: isSet,
  async run(context) {
    const { username, password } = await stagedCredential(context);
    const verifier = scramVerifier(password);
    const client = await context.rotator();
    await withPolicyLock(client, lockOf(context), async () => {
      await refuseSuperseded(context);
      await changePassword(client, username, verifier);
    });
    return undefined;
  },
  async describe(context) {
    return `alters ${incomingLogin(context)}: the new password, as a SCRAM-SHA-256 verifier; sessions go on`;
  },
};

import { counted } from '../../counted.ts';
import { awaitReplay } from '../await-replay.ts';
import { incomingLogin, isPublished } from '../context/rotation-context.ts';
import { proveLogin } from '../proof/prove-login.ts';
import { replicasWithout } from '../proof/replicas-without.ts';
import { runVerifyStatements } from '../proof/run-verify-statements.ts';
import { Refusal } from '../refusal.ts';
import type { Step } from '../step.ts';

/** Logs in with what was staged, as a consumer would, before any consumer can. Repeated until published. */
export const verify: Step = {
  name: 'verify',
  isDone: isPublished,
  async run(context) {
    const { policy } = context;
    const incoming = incomingLogin(context);
    await using session = await proveLogin(context);
    const { rows } = await session.client.query('SELECT current_user AS name');
    const owner = policy.type === 'logins' ? policy.owner : undefined;
    const expected = owner ?? incoming;
    if (rows[0]?.name !== expected) {
      throw new Refusal(
        `After logging in as ${incoming} the current user is ${rows[0]?.name}, not ${expected}; ${owner ? 'see ALTER ROLE … SET role' : "name it as the policy's owner"}`,
      );
    }
    await runVerifyStatements(context, session.client);
    const behind = await replicasWithout(context);
    if (behind.length === 0) return undefined;
    return await awaitReplay(context, behind, `does not take the new password of ${incoming} yet`);
  },
  async describe(context) {
    const extra = context.policy.verify.length;
    const replicas = context.replicas.map(({ name }) => `, then logs in on ${name}`).join('');
    return `logs in as ${incomingLogin(context)} with the staged password${extra > 0 ? ` and runs ${counted(extra, 'statement')}` : ''}${replicas}`;
  },
};

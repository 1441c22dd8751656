import { fact } from '../../facts/fact.ts';
import { awaitReplay } from '../await-replay.ts';
import { isPublished } from '../context/holds.ts';
import { incomingLogin } from '../context/rotation-logins.ts';
import { refuseOtherUser } from '../proof/prove-consumer.ts';
import { proveStaged } from '../proof/prove-login.ts';
import { replicasWithout } from '../proof/replicas-without.ts';
import { runVerifyStatements } from '../proof/run-verify-statements.ts';
import type { Step } from '../step.ts';

/**
 * Logs in with what was staged, as a consumer would, before any consumer can. Repeated until
 * published.
 */
export const verify: Step = {
  name: 'verify',
  isDone: isPublished,
  async run(context) {
    const { policy } = context;
    const incoming = incomingLogin(context);
    await using session = await proveStaged(context);
    if (context.held) context.held.provenAt = performance.now();
    await refuseOtherUser(session.client, { policy, login: incoming });
    await runVerifyStatements(session.client, { statements: policy.verify, login: incoming });
    const behind = await replicasWithout(context);
    if (behind.length === 0) return undefined;
    return await awaitReplay(context, behind, { login: incoming, missing: 'password' });
  },
  async describe(context, { incoming }) {
    return fact('plan-verify', {
      login: incoming,
      statements: context.policy.verify.length,
      replicas: context.replicas.map(({ name }) => name),
    });
  },
};

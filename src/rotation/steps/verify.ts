import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { awaitReplay } from '../await-replay.ts';
import { isPublished } from '../context/holds.ts';
import { incomingLogin } from '../context/rotation-logins.ts';
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
    const { rows } = await session.client.query<{ readonly name: string }>('SELECT current_user AS name');
    const owner = policy.type === 'logins' ? policy.owner : undefined;
    const expected = owner ?? incoming;
    if (rows[0]?.name !== expected) {
      throw fault('current-user-differs', {
        login: incoming,
        currentUser: String(rows[0]?.name),
        expected,
        owner: owner ?? null,
      });
    }
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

import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { connect } from '../../postgres/connection/connect.ts';
import { readServer } from '../../postgres/connection/rotator.ts';
import type { RotationLogins } from '../context/rotation-logins.ts';
import { hasBegun, type Preview } from '../context/rotation-view.ts';
import { destinationFindings } from '../findings/destination-findings.ts';
import { expiryFindings } from '../findings/expiry-findings.ts';
import { outsideFindings } from '../findings/outside-findings.ts';
import { refuse } from '../findings/refuse.ts';
import { replicaFindings } from '../findings/replica-findings.ts';
import { rotatorFindings } from '../findings/rotator-findings.ts';
import { serverFindings } from '../findings/server-findings.ts';
import { outsideChangeFact, outsideChanges } from '../outside-changes/outside-changes.ts';
import { otherPendingParts, type PendingPart } from '../outside-changes/pending-parts.ts';
import { runVerifyStatements } from '../proof/run-verify-statements.ts';
import { refuseLateStart } from '../refusals/refuse-late-start.ts';
import { refuseReplaced } from '../refusals/refuse-replaced.ts';
import type { Step } from '../step.ts';
import { isChecked } from '../steps/check.ts';
import { noticeOf, slotAfter } from '../steps/check-warnings.ts';
import { pendingInUse } from './pending-in-use.ts';

/**
 * Refuses whatever would stop or endanger the steps that follow. Changes nothing. All that `verify`
 * will ask is asked here already, with the old password: once the new one is set there is no way
 * but forward.
 */
export const checkRotator: Step = {
  name: 'check',
  isDone: isChecked,
  async run(context) {
    return { logins: await inspectRotator(context) };
  },
  inspect: inspectRotator,
  async describe(_preview, { incoming }) {
    return fact('plan-check-rotator', { login: incoming });
  },
  async warnings(context, { incoming }) {
    const [primary] = context.destinations;
    const isFirst = (await context.ledger.lastPublished(context.policy.name)) === undefined;
    return [
      ...(await outsideChanges(context)).map((change) => noticeOf(outsideChangeFact(change))),
      ...(await expiryFindings(context, () => slotAfter(context))).map((finding) => noticeOf(finding.fact)),
      ...(isFirst
        ? [
            {
              fact: fact('configured-password-obsolete', {
                login: incoming,
                destination: primary.name,
                connection: context.connection.name,
              }),
            },
          ]
        : []),
    ];
  },
};

async function inspectRotator(context: Preview): Promise<RotationLogins> {
  if (hasBegun(context)) {
    refuseReplaced(context);
    refuseLateStart(context);
  }
  refuse(serverFindings(context.connection, await readServer(await context.rotator())));
  const findings = await rotatorFindings(context);
  for (const replica of context.replicas) findings.push(...(await replicaFindings(context, replica)));
  refuse(findings);
  await tryVerifyStatements(context);
  refuse([...(await outsideFindings(context)), ...(await destinationFindings(context))]);
  await refusePendingInUse(context);
  return { incoming: context.policy.logins[0], outgoing: null };
}

async function tryVerifyStatements(context: Preview): Promise<void> {
  // In a session of its own, as in `verify`: a statement may change session state.
  const { policy, connection } = context;
  await using session = await context.beside(() => connect(connection));
  await runVerifyStatements(session.client, { statements: policy.verify, login: policy.logins[0] });
}

/**
 * A pending version that no open rotation staged is about to be discarded; it must not be the
 * rotator's password.
 */
async function refusePendingInUse(context: Preview): Promise<void> {
  const others: PendingPart[] = [];
  for (const each of context.destinations) others.push(...(await otherPendingParts(context, each)));
  if (others.length === 0) return;
  const { destination, token } = (await pendingInUse(context)) ?? {};
  if (!destination || token === context.rotation?.id) return;
  throw fault('pending-password-in-use', {
    destination: destination.name,
    version: token ?? null,
    login: context.policy.logins[0],
  });
}

import { connect } from '../../postgres/connect.ts';
import { DatabaseError } from '../../postgres/database-error.ts';
import { readServer } from '../../postgres/rotator.ts';
import { outsideFindings } from '../findings/outside-findings.ts';
import { refuse } from '../findings/refuse.ts';
import { replicaFindings } from '../findings/replica-findings.ts';
import { rotatorFindings } from '../findings/rotator-findings.ts';
import { serverFindings } from '../findings/server-findings.ts';
import { outsideChanges } from '../outside-changes.ts';
import { proveLogin } from '../prove-login.ts';
import { Refusal } from '../refusal.ts';
import { refuseLateStart } from '../refuse-late-start.ts';
import { refuseReplaced } from '../refuse-replaced.ts';
import { incomingLogin, type RotationContext } from '../rotation-context.ts';
import { runVerifyStatements } from '../run-verify-statements.ts';
import type { Step } from '../step.ts';
import { check } from '../steps/check.ts';

/**
 * Refuses whatever would stop or endanger the steps that follow. Changes nothing. All that `verify` will ask is asked here
 * already, with the old password: once the new one is set there is no way but forward.
 */
export const checkRotator: Step = {
  name: 'check',
  isDone: check.isDone,
  async run(context) {
    const logins = await inspectRotator(context);
    context.rotation = await context.ledger.freeze(context.rotation.id, logins);
    return undefined;
  },
  inspect: inspectRotator,
  async describe(context) {
    return `finds nothing in the way: ${incomingLogin(context)} gets a new password`;
  },
  async warnings(context) {
    const [primary] = context.destinations;
    const isFirst = (await context.ledger.lastPublished(context.policy.name)) === undefined;
    return [
      ...(await outsideChanges(context)).map(
        ({ found, instead, effect }) => `${instead === null ? '' : 'adopted: '}${found}; ${effect}`,
      ),
      ...(isFirst
        ? [
            `from this rotation on keyturn reads the password of ${incomingLogin(context)} from ${primary.name}; the one that connection ${context.connection.name} configures is obsolete then, remove it`,
          ]
        : []),
    ];
  },
};

async function inspectRotator(context: RotationContext): Promise<{ incoming: string; outgoing: null }> {
  const rotator = incomingLogin(context);
  refuseReplaced(context);
  refuseLateStart(context);
  refuse(serverFindings(context.connection, await readServer(await context.rotator())));
  const findings = await rotatorFindings(context);
  for (const replica of context.replicas) findings.push(...(await replicaFindings(context, replica)));
  refuse(findings);
  await tryVerifyStatements(context);
  refuse(await outsideFindings(context));
  await refusePendingInUse(context);
  return { incoming: rotator, outgoing: null };
}

async function tryVerifyStatements(context: RotationContext): Promise<void> {
  // In a session of its own, as `verify` will: a statement may leave it altered.
  await using session = await connect(context.connection);
  await runVerifyStatements(context, session.client);
}

/** A pending version that no open rotation staged is about to be discarded; it must not be the rotator's password. */
async function refusePendingInUse(context: RotationContext): Promise<void> {
  const [primary] = context.destinations;
  const pending = await context.read(primary, 'pending');
  const { username, password } = pending?.fields ?? {};
  if (pending?.token === context.rotation.id || username === undefined || password === undefined) return;
  if (username !== incomingLogin(context)) return;
  try {
    await using _session = await proveLogin(context, { credential: { username, password } });
  } catch (error) {
    if (error instanceof DatabaseError && error.kind === 'authentication') return;
    throw error;
  }
  throw new Refusal(
    `What is pending in ${primary.name} (version ${pending?.token ?? 'without a token'}) is the password of ${username} now, and would be lost; make that version current there, then rotate again`,
  );
}

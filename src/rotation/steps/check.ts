import { otherOf } from '../../config/other-of.ts';
import type { LoginsPolicy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { isStaged } from '../context/holds.ts';
import type { LoginPair } from '../context/rotation-logins.ts';
import {
  hasBegun,
  type LoginsPreview,
  type LoginsView,
  type RotationView,
} from '../context/rotation-view.ts';
import { findStaged } from '../context/staged-credential.ts';
import { destinationFindings } from '../findings/destination-findings.ts';
import { findIncoming } from '../findings/find-incoming.ts';
import { loginFindings } from '../findings/login-findings.ts';
import { privilegeFindings } from '../findings/privilege-findings.ts';
import { refuse } from '../findings/refuse.ts';
import { replicaFindings } from '../findings/replica-findings.ts';
import { serverFindings } from '../findings/server-findings.ts';
import { refuseLateStart } from '../refusals/refuse-late-start.ts';
import { refuseReplaced } from '../refusals/refuse-replaced.ts';
import type { Step } from '../step.ts';
import { turnOf } from '../turn-of.ts';
import { awaitProbes } from './await-probes.ts';
import { checkWarnings } from './check-warnings.ts';

/**
 * Resolves the logins and refuses whatever would stop or endanger the steps that follow. Changes
 * nothing.
 */
export const check: Step<LoginsPolicy> = {
  name: 'check',
  isDone: isChecked,
  async run(context) {
    return (await awaitProbes(context)) ?? { logins: await inspect(context) };
  },
  inspect,
  async describe(_preview, { incoming, outgoing }: LoginPair) {
    return fact('plan-check', { incoming, outgoing });
  },
  warnings: checkWarnings,
};

/** Whether the logins are frozen and what was staged with them is still there. */
export async function isChecked(view: RotationView): Promise<boolean> {
  const { destinations, rotation } = view;
  if (rotation.incoming === null) return false;
  // Once all had it, the primary decides.
  for (const destination of rotation.publishedAt === null ? destinations : destinations.slice(0, 1)) {
    if (await isStaged(view, destination)) return true;
  }
  return false;
}

/** What `check` finds, without recording it. Throws one fault that names all that is in the way. */
export async function inspect(context: LoginsPreview): Promise<LoginPair> {
  if (hasBegun(context)) {
    refuseReplaced(context);
    const published = await publishedLogins(context);
    if (published) return published;
    refuseLateStart(context);
  }
  refuse(serverFindings(context.connection, (await context.survey()).server));
  const logins = await loginFindings(context, await turnOf(context));
  const findings = [...logins, ...(await privilegeFindings(context))];
  for (const replica of context.replicas) findings.push(...(await replicaFindings(context, replica)));
  refuse(findings);
  const found = await findIncoming(context);
  refuse([...found.findings, ...(await destinationFindings(context))]);
  if (!found.logins) throw new Error('Neither login comes in, and nothing says why');
  return found.logins;
}

/**
 * The logins of a rotation that is published though the ledger does not know them: it was restored
 * from a backup.
 */
async function publishedLogins(context: LoginsView): Promise<LoginPair | undefined> {
  const { rotation, destinations, policy } = context;
  if (rotation.incoming !== null) return undefined;
  for (const destination of destinations) {
    if ((await context.read(destination, 'current'))?.token !== rotation.id) continue;
    const incoming = (await findStaged(context))?.username;
    if (incoming === undefined || !policy.logins.includes(incoming)) continue;
    return { incoming, outgoing: otherOf(policy.logins, incoming) };
  }
  return undefined;
}

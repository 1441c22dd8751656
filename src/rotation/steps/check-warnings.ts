import { sessionsIn } from '../../postgres/sessions.ts';
import { nextDue } from '../due-rotation.ts';
import { expiryFindings } from '../findings/expiry-findings.ts';
import { grantFindings } from '../findings/grant-findings.ts';
import { leftoverFindings } from '../findings/leftover-findings.ts';
import { ownershipFindings } from '../findings/ownership-findings.ts';
import { withRemedy } from '../findings/remedy-of.ts';
import { unpublishedUse } from '../findings/unpublished-use.ts';
import { outsideChanges } from '../outside-changes.ts';
import { frozenLogins, type RotationContext } from '../rotation-context.ts';

/** What `check` lets pass although it will trouble somebody. */
export async function checkWarnings(context: RotationContext): Promise<string[]> {
  const { policy, ledger, clock } = context;
  const changes = await outsideChanges(context);
  const inUse = await unpublishedUse(context, sessionsIn(await context.uses(policy.logins)));
  const due = nextDue(policy, await ledger.timing(policy.name), clock.now());
  const findings = [
    ...(inUse ? [inUse] : []),
    ...(await leftoverFindings(context, frozenLogins(context).incoming)),
    ...(await expiryFindings(context, due)),
    ...(await ownershipFindings(context)),
    ...(await grantFindings(context)),
  ];
  return [
    ...changes.map(
      ({ found, instead, effect }) => `${instead === null ? '' : 'adopted: '}${found}; ${effect}`,
    ),
    ...findings.map(withRemedy),
  ];
}

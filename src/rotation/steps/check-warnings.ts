import { sessionsIn } from '../../postgres/sessions.ts';
import { grantFindings } from '../findings/grant-findings.ts';
import { leftoverFindings } from '../findings/leftover-findings.ts';
import { ownershipFindings } from '../findings/ownership-findings.ts';
import { remedyOf } from '../findings/remedy-of.ts';
import { unpublishedUse } from '../findings/unpublished-use.ts';
import { outsideChanges } from '../outside-changes.ts';
import { frozenLogins, type RotationContext } from '../rotation-context.ts';

/** What `check` lets pass although it will trouble somebody. */
export async function checkWarnings(context: RotationContext): Promise<string[]> {
  const changes = await outsideChanges(context);
  const inUse = await unpublishedUse(context, sessionsIn(await context.uses(context.policy.logins)));
  const findings = [
    ...(inUse ? [inUse] : []),
    ...(await leftoverFindings(context, frozenLogins(context).incoming)),
    ...(await ownershipFindings(context)),
    ...(await grantFindings(context)),
  ];
  return [
    ...changes.map(
      ({ found, instead, effect }) => `${instead === null ? '' : 'adopted: '}${found}; ${effect}`,
    ),
    ...findings.map((finding) => {
      const remedy = remedyOf(finding);
      return remedy === undefined ? finding.text : `${finding.text}; ${remedy}`;
    }),
  ];
}

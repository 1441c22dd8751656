import { readLogins } from '../../postgres/logins/login.ts';
import { sessionsIn } from '../../postgres/sessions/sessions.ts';
import { frozenLogins, type LoginsContext } from '../context/rotation-context.ts';
import { nextDue } from '../due-rotation.ts';
import { expiryFindings } from '../findings/expiry-findings.ts';
import { grantFindings } from '../findings/grant-findings.ts';
import { leftoverFindings } from '../findings/leftover-findings.ts';
import { loginFindings } from '../findings/login-findings.ts';
import { ownershipFindings } from '../findings/ownership-findings.ts';
import { withRemedy } from '../findings/remedy-of.ts';
import { unpublishedUse } from '../findings/unpublished-use.ts';
import { outsideChanges } from '../outside-changes/outside-changes.ts';
import { turnOf } from '../turn-of.ts';

/** What `check` lets pass although it will trouble somebody. */
export async function checkWarnings(context: LoginsContext): Promise<string[]> {
  const { policy, ledger, clock } = context;
  const changes = await outsideChanges(context);
  const inUse = await unpublishedUse(context, sessionsIn(await context.uses(policy.logins)));
  const due = nextDue(policy, await ledger.timing(policy.name), clock.now());
  const logins = await loginFindings(context, await turnOf(context));
  const findings = [
    ...logins.filter(({ level }) => level === 'warn'),
    ...(inUse ? [inUse] : []),
    ...(await leftoverFindings(context, frozenLogins(context).incoming)),
    ...(await expiryFindings(context, due)),
    ...(await ownershipFindings(context)),
    ...((await isPair(context)) ? await grantFindings(context) : []),
  ];
  return [
    ...changes.map(
      ({ found, instead, effect }) => `${instead === null ? '' : 'adopted: '}${found}; ${effect}`,
    ),
    ...findings.map(withRemedy),
  ];
}

/** Whether both logins exist: only then they can be compared. */
async function isPair({ policy, rotator }: LoginsContext): Promise<boolean> {
  return (await readLogins(await rotator(), policy.logins)).size === policy.logins.length;
}

import { fact } from '../../facts/fact.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import { sessionsIn } from '../../postgres/sessions/sessions.ts';
import { frozenLogins, type RotationContext } from '../context/rotation-context.ts';
import { nextDue } from '../due-rotation.ts';
import { expiryFindings } from '../findings/expiry-findings.ts';
import { grantFindings } from '../findings/grant-findings.ts';
import { leftoverFindings } from '../findings/leftover-findings.ts';
import { loginFindings } from '../findings/login-findings.ts';
import { ownershipFindings } from '../findings/ownership-findings.ts';
import { withRemedy } from '../findings/remedy-of.ts';
import { unpublishedUse } from '../findings/unpublished-use.ts';
import { outsideChanges } from '../outside-changes/outside-changes.ts';
import type { Notice } from '../step.ts';
import { turnOf } from '../turn-of.ts';

/** What `check` lets pass although it will trouble somebody. */
export async function checkWarnings(context: RotationContext): Promise<Notice[]> {
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
  const texts = [
    ...changes.map(
      ({ found, instead, effect }) => `${instead === null ? '' : 'adopted: '}${found}; ${effect}`,
    ),
    ...findings.map(withRemedy),
  ];
  // TODO: findings as facts, each with what it is about as its subject.
  return texts.map((text) => ({ fact: fact('recorded', { text }), subject: text }));
}

/** Whether both logins exist: only then they can be compared. */
async function isPair({ policy, rotator }: RotationContext): Promise<boolean> {
  return (await readLogins(await rotator(), policy.logins)).size === policy.logins.length;
}

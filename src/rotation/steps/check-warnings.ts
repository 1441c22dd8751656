import type { Fact } from '../../facts/fact.ts';
import { sessionsIn } from '../../postgres/sessions/sessions.ts';
import type { LoginPair } from '../context/rotation-logins.ts';
import type { LoginsPreview, Preview } from '../context/rotation-view.ts';
import { nextDue } from '../due-rotation.ts';
import { expiryFindings } from '../findings/expiry-findings.ts';
import { grantFindings } from '../findings/grant-findings.ts';
import { leftoverFindings } from '../findings/leftover-findings.ts';
import { loginFindings } from '../findings/login-findings.ts';
import { ownershipFindings } from '../findings/ownership-findings.ts';
import { unpublishedUse } from '../findings/unpublished-use.ts';
import { outsideChangeFact, outsideChanges } from '../outside-changes/outside-changes.ts';
import type { Notice } from '../step.ts';
import { turnOf } from '../turn-of.ts';
import { surveyedUses } from '../uses/surveyed-uses.ts';

/** What stops no rotation, but will trouble somebody. */
export async function checkWarnings(context: LoginsPreview, { incoming }: LoginPair): Promise<Notice[]> {
  const changes = await outsideChanges(context);
  const inUse = await unpublishedUse(context, sessionsIn(await surveyedUses(context)));
  const logins = await loginFindings(context, await turnOf(context));
  const findings = [
    ...logins.filter(({ level }) => level === 'warn'),
    ...(inUse ? [inUse] : []),
    ...(await leftoverFindings(context, incoming)),
    ...(await expiryFindings(context, () => slotAfter(context))),
    ...(await ownershipFindings(context)),
    ...((await isPair(context)) ? await grantFindings(context) : []),
  ];
  return [...changes.map(outsideChangeFact), ...findings.map(({ fact }) => fact)].map(noticeOf);
}

/** When the next rotation is due by itself, in milliseconds since the epoch; undefined: never. */
export async function slotAfter({ policy, ledger, clock }: Preview): Promise<number | undefined> {
  return nextDue(policy, await ledger.timing(policy.name), clock.now());
}

/**
 * A fact as a warning, told once. Sessions change from one look to the next, so one that lists them
 * is told once for its login.
 */
export function noticeOf(fact: Fact): Notice {
  const subject = fact.code === 'unpublished-login-in-use' ? fact.params.login : JSON.stringify(fact.params);
  return { fact, subject };
}

/** Whether both logins exist: only then they can be compared. */
async function isPair({ policy, survey }: LoginsPreview): Promise<boolean> {
  const { logins } = await survey();
  return policy.logins.every((login) => logins.has(login));
}

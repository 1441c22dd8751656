import { fact } from '../../facts/fact.ts';
import { sql } from '../../facts/remedy.ts';
import { isFuture } from '../../ledger/future.ts';
import { terminations } from '../../postgres/sessions/sessions.ts';
import { endStarting } from '../../postgres/sessions/starting-sessions.ts';
import { frozenLogins } from '../context/rotation-logins.ts';
import type { LoginsRun, LoginsView } from '../context/rotation-view.ts';
import type { Wait } from '../step.ts';
import { warn } from '../warn.ts';

/** How often to look again, in milliseconds. */
const POLL_MS = 1_000;
/**
 * Any login can make its own sessions start slowly, so after this time the rotation ends all the
 * same, with a warning.
 */
const PATIENCE_MS = 60_000;
/**
 * On a busy server logins of others start slowly, too. They get this long, except in an emergency.
 */
const COURTESY_MS = 30_000;

/**
 * Whether sessions that are starting must be waited for: one of them may be the outgoing login's,
 * let in just before it was shut out.
 */
function mustIdentify({ rotation, clock }: LoginsView): boolean {
  const { lastLookAt: since } = rotation;
  const now = clock.now();
  // An instant in the future was written while a clock was wrong, and is not waited for.
  return since === null || !(isFuture(since, now) || now >= since.getTime() + PATIENCE_MS);
}

function isUrgent({ rotation, clock }: LoginsView): boolean {
  const { reason, lastLookAt: since } = rotation;
  return reason === 'emergency' || (since !== null && clock.now() >= since.getTime() + COURTESY_MS);
}

/**
 * What there is to wait for. When the patience is over, a warning says whom nobody could identify.
 */
export async function awaitStarting(
  context: LoginsRun,
  starting: readonly number[],
): Promise<Wait | undefined> {
  if (starting.length === 0) return undefined;
  const { outgoing: login } = frozenLogins(context);
  if (mustIdentify(context)) {
    return {
      until: context.clock.now() + POLL_MS,
      fact: fact('revoke-last-look', { login }),
      marks: ['lastLookAt'],
    };
  }
  await warn(context, 'revoke', {
    fact: fact('starting-sessions-left', { login, pids: starting }, sql(...terminations(starting))),
    subject: login,
  });
  return undefined;
}

/**
 * Ends sessions that are starting on the primary, though they may be of anybody, where that cannot
 * be left to time. It is recorded before.
 */
export async function cutStarting(context: LoginsRun, starting: readonly number[]): Promise<void> {
  if (starting.length === 0 || !isUrgent(context)) return;
  const { outgoing: login } = frozenLogins(context);
  await warn(context, 'revoke', {
    fact: fact('revoke-ends-starting-sessions', { login, pids: starting }),
    subject: login,
  });
  const client = await context.rotator();
  await context.underLock(() => endStarting(client, starting));
}

import type { SessionInfo } from '../../facts/database/session-info.ts';
import { fact } from '../../facts/fact.ts';
import { sql } from '../../facts/remedy.ts';
import { inTransaction } from '../../postgres/connection/in-transaction.ts';
import { endIdle } from '../../postgres/sessions/end-idle.ts';
import { terminations } from '../../postgres/sessions/sessions.ts';
import { frozenLogins } from '../context/rotation-logins.ts';
import type { LoginsRun } from '../context/rotation-view.ts';
import { isLeft, pooledUse } from '../uses/pooled-use.ts';
import { seenSession } from '../uses/seen-use.ts';
import { warn } from '../warn.ts';

/**
 * Ends the sessions that PgBouncers keep though no client uses them. Call it once the outgoing
 * login is shut out everywhere: then no client comes in that could be given one of them. Returns
 * whether any was told to end.
 */
export async function endLeft(context: LoginsRun, sessions: readonly SessionInfo[]): Promise<boolean> {
  if (context.connection.pgbouncer === undefined) return false;
  const { outgoing } = frozenLogins(context);
  const { idle, faults } = await pooledUse(context, outgoing, { afterLogins: true });
  for (const fault of faults) await warn(context, 'revoke', fault);
  const left = sessions.filter((session) => isLeft(session, idle));
  if (left.length === 0) return false;
  // Under the lock: after the next rotation this login would be the one in use.
  const refused = await context.underLock(() => endEverywhere(context, outgoing, left));
  if (refused.length > 0) await warnOfRefused(context, outgoing, refused);
  return refused.length < left.length;
}

/** Returns those that the rotator may not end. */
async function endEverywhere(
  context: LoginsRun,
  outgoing: string,
  left: readonly SessionInfo[],
): Promise<readonly SessionInfo[]> {
  const refused: SessionInfo[] = [];
  const here = left.filter(({ replica }) => replica === undefined);
  if (!(await endIdle(await context.rotator(), outgoing, here))) refused.push(...here);
  for (const replica of context.replicas) {
    const there = left.filter(({ replica: name }) => name === replica.name);
    if (there.length === 0) continue;
    const isTold = await replica.ask((client) =>
      inTransaction(client, () => endIdle(client, outgoing, there)),
    );
    if (!isTold) refused.push(...there);
  }
  return refused;
}

/** They end by themselves, when the PgBouncer finds that they have been idle for too long. */
function warnOfRefused(context: LoginsRun, login: string, refused: readonly SessionInfo[]): Promise<void> {
  return warn(context, 'revoke', {
    fact: fact(
      'revoke-sessions-not-ended',
      { login, sessions: refused.map(seenSession), cause: null },
      sql(...terminations(refused.map(({ pid }) => pid))),
    ),
    subject: 'pgbouncer',
  });
}

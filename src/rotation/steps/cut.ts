import type { SessionInfo } from '../../facts/database/session-info.ts';
import { fact } from '../../facts/fact.ts';
import { factOf, fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import type { OpenReplica } from '../../postgres/replicas/open-replica.ts';
import { terminate, terminations } from '../../postgres/sessions/sessions.ts';
import { frozenLogins } from '../context/rotation-logins.ts';
import type { LoginsRun } from '../context/rotation-view.ts';
import { refuseMissingPrivileges } from '../refusals/refuse-missing-privileges.ts';
import { seenSession, subjectOfSessions } from '../uses/seen-use.ts';
import { warn } from '../warn.ts';

/**
 * Ends sessions of the outgoing login on one server, the primary unless told which. They are
 * recorded before, so that a crash cannot hide whom keyturn ended. Throws a fault that names those
 * that it may not end.
 */
export async function cut(
  context: LoginsRun,
  sessions: readonly SessionInfo[],
  replica?: OpenReplica,
): Promise<void> {
  if (sessions.length === 0) return;
  const { outgoing } = frozenLogins(context);
  await warn(context, 'revoke', {
    fact: fact('revoke-ends-sessions', { login: outgoing, sessions: sessions.map(seenSession) }),
    subject: subjectOfSessions(sessions),
  });
  const pids = sessions.map(({ pid }) => pid);
  const client = await context.rotator();
  // Under the lock: after the next rotation this login would be the one in use.
  const refused = await context.underLock(() =>
    replica ? replica.terminate(outgoing, pids) : terminate(client, outgoing, pids),
  );
  if (refused.length === 0) return;
  const left = sessions.filter(({ pid }) => refused.includes(pid));
  const cause = await refuseMissingPrivileges(context).then(() => null, factOf);
  const ends = terminations(left.map(({ pid }) => pid));
  throw fault(
    'revoke-sessions-not-ended',
    { login: outgoing, sessions: left.map(seenSession), cause },
    { remedies: cause === null ? [sql(...ends)] : [] },
  );
}

import { counted } from '../../counted.ts';
import { withPolicyLock } from '../../postgres/locks/policy-lock.ts';
import type { OpenReplica } from '../../postgres/replicas/open-replica.ts';
import { describeSession, type LoginSession, terminate } from '../../postgres/sessions/sessions.ts';
import { lockOf } from '../context/lock-of.ts';
import { frozenLogins, type LoginsContext } from '../context/rotation-context.ts';
import { Refusal } from '../refusal.ts';
import { refuseMissingPrivileges } from '../refuse-missing-privileges.ts';
import { refuseSuperseded } from '../superseded.ts';
import { warn } from '../warn.ts';
import { describeUse } from './drain.ts';

/**
 * Ends sessions of the outgoing login on one server, the primary unless told which. The history has them before, so
 * that a crash in between cannot hide whom keyturn cut. Throws a Refusal that names those that it may not end.
 */
export async function cut(
  context: LoginsContext,
  sessions: readonly LoginSession[],
  replica?: OpenReplica,
): Promise<void> {
  if (sessions.length === 0) return;
  const { outgoing } = frozenLogins(context);
  await warn(context, 'revoke', `ends ${describeUse({ sessions, prepared: [] }, outgoing)}`);
  const pids = sessions.map(({ pid }) => pid);
  const client = await context.rotator();
  // Under the lock, too: by the next rotation it would be the login in use.
  const refused = await withPolicyLock(client, lockOf(context), async () => {
    await refuseSuperseded(context);
    return replica ? replica.terminate(outgoing, pids) : terminate(client, outgoing, pids);
  });
  if (refused.length === 0) return;
  const who = sessions
    .filter(({ pid }) => refused.includes(pid))
    .map((session) => `pid ${session.pid}, ${describeSession(session)}`);
  const reason = await refuseMissingPrivileges(context).catch((error: Error) => error.message);
  throw new Refusal(
    `${outgoing} is shut out, but ${counted(refused.length, 'session')} of it cannot be ended by the rotator: ${who.join('; ')}. ${reason ?? 'End it as a superuser: SELECT pg_catalog.pg_terminate_backend(pid)'}`,
  );
}

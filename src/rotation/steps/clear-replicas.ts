import type { SessionInfo } from '../../facts/database/session-info.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import type { OpenReplica } from '../../postgres/replicas/open-replica.ts';
import { startingSessions } from '../../postgres/sessions/starting-sessions.ts';
import { frozenLogins } from '../context/rotation-logins.ts';
import type { LoginsRun, LoginsView } from '../context/rotation-view.ts';
import { cut } from './cut.ts';
import { mayCut } from './drain.ts';

/** What revoke finds on the replicas. */
export interface OnReplicas {
  /** Those that have not replayed that the outgoing login is shut out. */
  readonly behind: readonly OpenReplica[];
  /** Sessions of the outgoing login. */
  readonly sessions: readonly SessionInfo[];
  /** Processes of sessions that are starting. */
  readonly starting: readonly number[];
}

/**
 * Whether the outgoing login is shut out and gone on every replica. Throws where a replica cannot
 * be asked and the others are clear.
 */
export async function areReplicasClear(context: LoginsView): Promise<boolean> {
  const looks = await Promise.allSettled(context.replicas.map((replica) => lookAt(context, replica)));
  const isLeft = looks.some((look) => look.status === 'fulfilled' && isLeftIn(look.value));
  if (isLeft) return false;
  for (const look of looks) if (look.status === 'rejected') throw look.reason;
  return true;
}

/**
 * Ends sessions of the outgoing login on replicas, if the policy allows it. Each replica must have
 * replayed NOLOGIN before, else the sessions would come back. A replica that is away does not hold
 * up the others: its error is thrown at the end.
 */
export async function clearReplicas(context: LoginsRun): Promise<OnReplicas> {
  const behind: OpenReplica[] = [];
  const left: SessionInfo[] = [];
  const unidentified: number[] = [];
  const faults: unknown[] = [];
  for (const replica of context.replicas) {
    try {
      const { isOpen, sessions, starting } = await lookAt(context, replica);
      left.push(...sessions);
      unidentified.push(...starting);
      if (isOpen) behind.push(replica);
      else if (mayCut(context)) await cut(context, sessions, replica);
    } catch (fault) {
      faults.push(fault);
    }
  }
  if (faults.length > 0) throw faults[0];
  return { behind, sessions: left, starting: unidentified };
}

/** What one replica has of the outgoing login. */
interface OnReplica extends Pick<OnReplicas, 'sessions' | 'starting'> {
  /** Whether NOLOGIN is not replayed yet. */
  readonly isOpen: boolean;
}

function isLeftIn({ isOpen, sessions, starting }: OnReplica): boolean {
  return isOpen || sessions.length > 0 || starting.length > 0;
}

async function lookAt(context: LoginsView, replica: OpenReplica): Promise<OnReplica> {
  const { outgoing } = frozenLogins(context);
  // Read the roles first: once a login is shut, no new session appears while they are counted.
  const login = (await replica.ask((client) => readLogins(client, [outgoing]))).get(outgoing);
  const starting = await replica.ask(startingSessions);
  const use = (await replica.uses([outgoing])).get(outgoing);
  return { isOpen: login?.canLogin === true, sessions: use?.sessions ?? [], starting };
}

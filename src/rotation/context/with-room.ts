import { setTimeout as sleep } from 'node:timers/promises';
import { fact } from '../../facts/fact.ts';
import type { Rotation } from '../../ledger/rotation.ts';
import type { Session } from '../../postgres/connection/connect.ts';
import { isServerFull } from '../../postgres/connection/database-error.ts';
import { endSome } from '../../postgres/sessions/sessions.ts';
import { warn } from '../warn.ts';
import type { PolicyView } from './policy-view.ts';
import type { RotationRun } from './rotation-view.ts';

/**
 * Whoever has a leaked password reconnects at once, so it may take a while to get a free
 * connection.
 */
const PATIENCE_MS = 15_000;
/** A session that was told to end needs a moment. */
const PAUSE_MS = 50;

/** Where a session is opened: for a rotation, or just to look. */
export interface Room extends PolicyView {
  readonly rotation?: Rotation | undefined;
}

/**
 * Opens a session of the incoming login. In an emergency the leaked login may hold every connection
 * that the server has for logins; the rotator gets in by those that are reserved, but the incoming
 * login has no right to them. So sessions of the outgoing login are ended until there is room. The
 * rotation is about to end them anyway.
 */
export async function withRoom(context: Room, open: () => Promise<Session>): Promise<Session> {
  const { rotation } = context;
  const deadline = performance.now() + PATIENCE_MS;
  for (let round = 0; ; round += 1) {
    try {
      return await open();
    } catch (error) {
      const outgoing = rotation && mayBeEnded(rotation);
      if (!outgoing || !isServerFull(error) || performance.now() > deadline) throw error;
      if (round === 0) await tell(context, outgoing);
      // Twice as many each time, since some come back meanwhile.
      await endSome(await context.rotator(), outgoing, 2 ** Math.min(round, 10));
      if (round > 0) await sleep(PAUSE_MS);
    }
  }
}

/** The login whose sessions make room, if any may. */
function mayBeEnded({ reason, outgoing, rolledBackTo }: Rotation): string | null {
  return reason === 'emergency' && rolledBackTo === null ? outgoing : null;
}

async function tell(context: Room, outgoing: string): Promise<void> {
  const uses = await context.uses([outgoing]);
  const sessions = uses.get(outgoing)?.sessions.length ?? 0;
  if (!isRun(context)) return;
  await warn(context, 'verify', {
    fact: fact('emergency-makes-room', { login: outgoing, sessions }),
    subject: String(sessions),
  });
}

function isRun(room: Room): room is RotationRun {
  return 'follow' in room;
}

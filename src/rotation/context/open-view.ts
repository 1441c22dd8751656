import type { Clock } from '../../clock.ts';
import type { Connection } from '../../config/config.ts';
import type { Policy } from '../../config/policy.ts';
import type { Session } from '../../postgres/connection/connect.ts';
import { placeOf } from '../../postgres/connection/place-of.ts';
import { remembering } from '../../postgres/connection/session-pin.ts';
import { openSessionPool, type SessionPool } from '../../postgres/connection/session-pool.ts';
import { openReplica } from '../../postgres/replicas/open-replica.ts';
import { mergeUses, usesOf } from '../../postgres/sessions/sessions.ts';
import { openUsePoller, type UsePoller, type UseSource } from '../../postgres/sessions/use-poller.ts';
import { readSurvey } from '../../postgres/survey.ts';
import type { OpenDestination, PolicyView } from './policy-view.ts';
import { Secrets } from './secrets.ts';
import { Surveys } from './surveys.ts';

export interface ViewParts<Its extends Policy> {
  readonly policy: Its;
  readonly connection: Connection;
  readonly destinations: readonly [OpenDestination, ...OpenDestination[]];
  readonly clock: Clock;
  /** Shared by the rotations of a process, to share queries. Left out: one of its own. */
  readonly poller?: UsePoller;
  /** Shared by the rotations of a process on the same connection. Left out: one of its own. */
  readonly sessions?: SessionPool;
}

interface Options {
  /** For an emergency: it does not queue for a session. */
  readonly urgent?: boolean;
  /** Left out: read through this view only. */
  readonly secrets?: Secrets;
  readonly surveys?: Surveys;
}

/** A view of a policy. Disposing of it closes the rotator's sessions that were opened. */
export function openView<Its extends Policy>(
  given: ViewParts<Its>,
  { urgent = false, secrets = new Secrets(given.destinations), surveys = new Surveys() }: Options = {},
): PolicyView<Its> & AsyncDisposable {
  const parts = { ...given, connection: remembering(given.connection) };
  let session: Promise<Session> | undefined;
  const poller = parts.poller ?? openUsePoller(parts.clock);
  const sessions = parts.sessions ?? openSessionPool(parts.connection);
  async function rotator() {
    session ??= sessions.rotator({ urgent });
    return (await session).client;
  }
  const replicas = (parts.connection.replicas ?? []).map((replica) => openReplica(parts.connection, replica));
  const sources = sourcesOfUse(parts.connection, rotator, replicas);
  return {
    ...parts,
    rotator,
    async beside(open) {
      // In this order, because the holder of the second session must not wait for the first.
      await rotator();
      return sessions.beside(open);
    },
    replicas,
    uses: async (logins) => mergeUses(await Promise.all(sources.map((source) => source.uses(logins)))),
    look: (login, maxAge) => poller.poll(sources, login, maxAge),
    survey: () => surveys.read(async () => readSurvey(await rotator(), parts.policy)),
    read: (destination, stage, options) => secrets.read(destination, stage, options),
    async [Symbol.asyncDispose]() {
      if (parts.sessions === undefined) await sessions[Symbol.asyncDispose]();
      const opened = await session?.catch(() => undefined);
      await opened?.[Symbol.asyncDispose]();
      for (const replica of replicas) await replica[Symbol.asyncDispose]();
    },
  };
}

/** The servers that are asked who uses a login: the primary, and its replicas. */
function sourcesOfUse(
  connection: Connection,
  rotator: PolicyView['rotator'],
  replicas: PolicyView['replicas'],
): readonly UseSource[] {
  return [
    {
      place: placeOf(connection),
      uses: async (logins) => usesOf(await rotator(), logins),
    },
    ...replicas.map(({ target, uses }) => ({
      place: placeOf(target),
      // Wait for the rotator's session first, while holding none elsewhere: else two runs could
      // deadlock.
      uses: (logins: readonly string[]) => rotator().then(() => uses(logins)),
    })),
  ];
}

import type { LoginsPolicy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { factOf, fault } from '../../facts/fault.ts';
import { holderInfo } from '../../postgres/locks/lock-holders.ts';
import type { AlterOptions } from '../../postgres/logins/alter-login.ts';
import { disableLogin } from '../../postgres/logins/login.ts';
import { preparedInfo } from '../../postgres/sessions/prepared-transaction.ts';
import { type LoginUse, NOBODY, usesOf } from '../../postgres/sessions/sessions.ts';
import { startingSessions } from '../../postgres/sessions/starting-sessions.ts';
import { awaitReplay } from '../await-replay.ts';
import { isPublished } from '../context/holds.ts';
import { frozenLogins, type LoginPair } from '../context/rotation-logins.ts';
import type { LoginsPreview, LoginsRun, LoginsView } from '../context/rotation-view.ts';
import { mayTerminate } from '../may-terminate.ts';
import { withProvenLogin } from '../proof/proven-login.ts';
import { rethrowNamingPrivileges } from '../refusals/refuse-missing-privileges.ts';
import { replaced } from '../refusals/refuse-replaced.ts';
import { isLocked } from '../server-fault.ts';
import type { Notice, Step, Wait } from '../step.ts';
import { pooledUse } from '../uses/pooled-use.ts';
import { warn } from '../warn.ts';
import { awaitStarting, cutStarting } from './await-starting.ts';
import { areReplicasClear, clearReplicas } from './clear-replicas.ts';
import { cut } from './cut.ts';
import { isShut, mayCut, mustWaitFor, waitForUse } from './drain.ts';
import { endLeft } from './end-left.ts';

/** How long a session that was told to end needs, in milliseconds. */
const ENDING_MS = 250;

/** Shuts the outgoing login out, and only then ends what sessions are left, until none is. */
export const revoke: Step<LoginsPolicy> = {
  name: 'revoke',
  async isDone(context) {
    // Somebody else who shut it did not prove that the published login works.
    if (context.rotation.outgoingShutAt === null || !(await isShut(context))) return false;
    const { use, starting } = await lookAtPrimary(context);
    if (mustWaitFor(context, use) || starting.length > 0) return false;
    return areReplicasClear(context);
  },
  async run(context) {
    // Somebody else who shut it did not prove that the published login works.
    if (context.rotation.outgoingShutAt === null || !(await isShut(context))) await shut(context);
    const seen = await endSessions(context);
    if (!('until' in seen))
      return { notices: await noticesOf(context, frozenLogins(context).outgoing, seen.prepared) };
    return { ...seen, marks: [...(seen.marks ?? []), 'outgoingShutAt'] };
  },
  async describe(context, { outgoing }: LoginPair) {
    return fact('plan-revoke', {
      login: outgoing,
      endsSessions: mayTerminate(context),
      replicas: context.replicas.map(({ name }) => name),
    });
  },
  async warnings(context, { outgoing }: LoginPair) {
    return noticesOf(context, outgoing, (await useOnPrimary(context, outgoing)).prepared);
  },
};

/** Who stays though the outgoing login is shut out. */
async function noticesOf(
  context: LoginsPreview,
  outgoing: string,
  prepared: LoginUse['prepared'],
): Promise<readonly Notice[]> {
  const { clients, faults } = await pooledUse(context, outgoing);
  const left = clients.map((who) => ({
    fact: fact('pgbouncer-clients-stay', who),
    subject: `${who.pgbouncer} ${who.database}`,
  }));
  // An emergency does not drain, and so asks here for the first time.
  const untold = context.reason === 'emergency' ? faults : [];
  if (prepared.length === 0) return [...left, ...untold];
  return [
    ...left,
    ...untold,
    {
      fact: fact('prepared-transactions-left', {
        login: outgoing,
        prepared: prepared.map(preparedInfo),
      }),
      subject: prepared.map(({ gid }) => gid).join(' '),
    },
  ];
}

/**
 * Ends what sessions are left of the outgoing login, which is shut out on the primary; returns what
 * there is to wait for, or else who uses the login without holding it up.
 */
async function endSessions(context: LoginsRun): Promise<Wait | LoginUse> {
  const { outgoing } = frozenLogins(context);
  const here = await lookAtPrimary(context);
  if (mayCut(context)) {
    await cut(context, here.use.sessions);
    await cutStarting(context, here.starting);
  }
  // After the primary: who is in there need not wait for a replica that is behind or away.
  const { behind, sessions, starting } = await clearReplicas(context);
  if (behind.length > 0) return awaitReplay(context, behind, { login: outgoing, missing: 'nologin' });
  const left = { ...here.use, sessions: [...here.use.sessions, ...sessions] };
  if (mustWaitFor(context, left)) {
    const wait = waitForUse(context, left);
    const isEnding = !mayCut(context) && (await endLeft(context, left.sessions));
    return isEnding ? { ...wait, until: Math.min(wait.until, context.clock.now() + ENDING_MS) } : wait;
  }
  return (await awaitStarting(context, [...here.starting, ...starting])) ?? here.use;
}

/** Who uses the outgoing login on the primary, and which sessions are starting there. */
async function lookAtPrimary(context: LoginsView) {
  const { outgoing } = frozenLogins(context);
  const starting = await startingSessions(await context.rotator());
  return { use: await useOnPrimary(context, outgoing), starting };
}

/** Not from a shared poll: this decides who is revoked and ended. */
async function useOnPrimary({ rotator }: LoginsPreview, outgoing: string): Promise<LoginUse> {
  return (await usesOf(await rotator(), [outgoing])).get(outgoing) ?? NOBODY;
}

async function shut(context: LoginsRun): Promise<void> {
  const { outgoing } = frozenLogins(context);
  const client = await context.rotator();
  await withProvenLogin(context, 'revoke', {
    check: () => refuseUnpublished(context),
    async act() {
      if (!(await isShut(context))) await disableLogin(client, outgoing, endingOf(context));
    },
  }).catch((error: unknown) => rethrowNamingPrivileges(context, notRevoked(outgoing, error)));
}

/** A login that could not be altered can still log in, and the message says that first. */
function notRevoked(outgoing: string, error: unknown): unknown {
  if (!isLocked(error)) return error;
  return fault('login-not-revoked-yet', { login: outgoing, cause: factOf(error) }, { cause: error });
}

/**
 * If sessions may be ended, so may those that keep NOLOGIN from being set. They are recorded
 * before.
 */
function endingOf(context: LoginsRun): AlterOptions {
  if (!mayCut(context)) return {};
  const { outgoing } = frozenLogins(context);
  return {
    onEnd: (holders) =>
      warn(context, 'revoke', {
        fact: fact('revoke-ends-lock-holders', { login: outgoing, holders: holders.map(holderInfo) }),
        subject: JSON.stringify(holders.map(holderInfo)),
      }),
  };
}

async function refuseUnpublished(context: LoginsView): Promise<void> {
  if (await isPublished(context)) return;
  const { outgoing } = frozenLogins(context);
  throw replaced({ destination: context.destinations[0].name, outgoing, policy: context.policy.name });
}

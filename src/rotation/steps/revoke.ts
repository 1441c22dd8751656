import type { LoginsPolicy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import { factOf, fault } from '../../facts/fault.ts';
import { isFuture } from '../../ledger/future.ts';
import { holderInfo } from '../../postgres/locks/lock-holders.ts';
import type { AlterOptions } from '../../postgres/logins/alter-login.ts';
import { disableLogin, readLogins } from '../../postgres/logins/login.ts';
import { preparedInfo } from '../../postgres/sessions/prepared-transaction.ts';
import { LAST_LOOK_MS, type LoginUse, NOBODY, usesOf } from '../../postgres/sessions/sessions.ts';
import { awaitReplay } from '../await-replay.ts';
import { isPublished } from '../context/holds.ts';
import { frozenLogins, type LoginPair } from '../context/rotation-logins.ts';
import type { LoginsPreview, LoginsRun, LoginsView } from '../context/rotation-view.ts';
import { mayTerminate } from '../may-terminate.ts';
import { withProvenLogin } from '../proof/proven-login.ts';
import { rethrowNamingPrivileges } from '../refusals/refuse-missing-privileges.ts';
import { replaced } from '../refusals/refuse-replaced.ts';
import { isLocked } from '../server-fault.ts';
import type { Step, Wait } from '../step.ts';
import { pooledClients } from '../uses/pooled-clients.ts';
import { warn } from '../warn.ts';
import { areReplicasClear, clearReplicas } from './clear-replicas.ts';
import { cut } from './cut.ts';
import { mayCut, mustWaitFor, waitForUse } from './drain.ts';

/** Shuts the outgoing login out, and only then ends what sessions are left, until none is. */
export const revoke: Step<LoginsPolicy> = {
  name: 'revoke',
  async isDone(context) {
    // Somebody else who shut it did not prove that the published login works.
    if (context.rotation.outgoingShutAt === null || !(await isShut(context))) return false;
    if (mustWaitFor(context, await useOnPrimary(context, frozenLogins(context).outgoing))) return false;
    if (context.replicas.length === 0) return true;
    return (await areReplicasClear(context)) && wasLastLook(context);
  },
  async run(context) {
    // Somebody else who shut it did not prove that the published login works.
    const wasOpen = context.rotation.outgoingShutAt === null || !(await isShut(context));
    if (wasOpen) await shut(context);
    const wait = await endSessions(context, wasOpen);
    return wait && { ...wait, marks: [...(wait.marks ?? []), 'outgoingShutAt'] };
  },
  async describe(context, { outgoing }: LoginPair) {
    return fact('plan-revoke', {
      login: outgoing,
      endsSessions: mayTerminate(context),
      replicas: context.replicas.map(({ name }) => name),
    });
  },
  async warnings(context, { outgoing }: LoginPair) {
    const { prepared } = await useOnPrimary(context, outgoing);
    const { clients, faults } = await pooledClients(context, outgoing);
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
  },
};

/**
 * Ends what sessions are left of the outgoing login, which is shut out on the primary; returns what
 * there is to wait for.
 */
async function endSessions(context: LoginsRun, wasOpen: boolean): Promise<Wait | undefined> {
  const { outgoing } = frozenLogins(context);
  const here = await useOnPrimary(context, outgoing);
  if (mayCut(context)) await cut(context, here.sessions);
  // After the primary: who is in there need not wait for a replica that is behind or away.
  const { behind, sessions } = await clearReplicas(context);
  if (behind.length > 0) return awaitReplay(context, behind, { login: outgoing, missing: 'nologin' });
  const left = { ...here, sessions: [...here.sessions, ...sessions] };
  if (mustWaitFor(context, left)) return waitForUse(context, left);
  if (!wasOpen && context.replicas.length === 0) return undefined;
  // Nobody new comes in, but who passed the check just before the commit is not counted yet.
  return {
    until: context.clock.now() + LAST_LOOK_MS,
    fact: fact('revoke-last-look', { login: outgoing }),
    marks: ['lastLookAt'],
  };
}

/**
 * Whether the last look was announced long enough ago. When a replica replayed NOLOGIN it does not
 * tell.
 */
function wasLastLook({ rotation: { lastLookAt }, clock }: LoginsView): boolean {
  const now = clock.now();
  // One in the future was written while a clock was wrong, and is not waited for.
  return lastLookAt !== null && (isFuture(lastLookAt, now) || now >= lastLookAt.getTime() + LAST_LOOK_MS);
}

async function useOnPrimary(context: LoginsPreview, outgoing: string): Promise<LoginUse> {
  // Not from a shared poll: this decides who is revoked and ended.
  return (await usesOf(await context.rotator(), [outgoing])).get(outgoing) ?? NOBODY;
}

/**
 * Whether nobody new comes in as the outgoing login; so it is, too, where that does not exist any
 * more.
 */
async function isShut(context: LoginsView): Promise<boolean> {
  const { outgoing } = frozenLogins(context);
  return !(await readLogins(await context.rotator(), [outgoing])).get(outgoing)?.canLogin;
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

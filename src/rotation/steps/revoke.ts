import { counted } from '../../counted.ts';
import { isFuture } from '../../ledger/future.ts';
import { DatabaseError } from '../../postgres/connection/database-error.ts';
import { describeHolder } from '../../postgres/locks/lock-holders.ts';
import type { AlterOptions } from '../../postgres/logins/alter-login.ts';
import { disableLogin, readLogins } from '../../postgres/logins/login.ts';
import { LAST_LOOK_MS } from '../../postgres/sessions/last-look.ts';
import { describePrepared } from '../../postgres/sessions/prepared-transaction.ts';
import { type LoginUse, NOBODY, usesOf } from '../../postgres/sessions/sessions.ts';
import { awaitReplay } from '../await-replay.ts';
import { frozenLogins, isPublished, type LoginsContext } from '../context/rotation-context.ts';
import { mayTerminate } from '../may-terminate.ts';
import { pooledClients } from '../pooled-clients.ts';
import { withProvenLogin } from '../proof/proven-login.ts';
import { Refusal } from '../refusal.ts';
import { rethrowNamingPrivileges } from '../refuse-missing-privileges.ts';
import type { Step } from '../step.ts';
import { warn } from '../warn.ts';
import { areReplicasClear, clearReplicas } from './clear-replicas.ts';
import { cut } from './cut.ts';
import { isHeld, mayCut, waitForUse } from './drain.ts';

/** Shuts the outgoing login out, and only then ends what sessions are left, until none is. */
export const revoke: Step<LoginsContext> = {
  name: 'revoke',
  async isDone(context) {
    // Who else shut it did not prove that the published login works.
    if (!(await isShut(context)) || !(await isProven(context))) return false;
    if (isHeld(context, await useOnPrimary(context))) return false;
    if (context.replicas.length === 0) return true;
    return (await areReplicasClear(context)) && (await wasLastLook(context));
  },
  async run(context) {
    const { outgoing } = frozenLogins(context);
    const wasOpen = !((await isShut(context)) && (await isProven(context)));
    if (wasOpen) await shut(context);
    const here = await useOnPrimary(context);
    if (mayCut(context)) await cut(context, here.sessions);
    // After the primary: who is in there need not wait for a replica that is behind or away.
    const { behind, sessions } = await clearReplicas(context);
    if (behind.length > 0) return awaitReplay(context, behind, `still lets ${outgoing} log in`);
    const left = { ...here, sessions: [...here.sessions, ...sessions] };
    if (isHeld(context, left)) return waitForUse(context, left);
    if (!wasOpen && context.replicas.length === 0) return undefined;
    // Nobody new comes in, but who passed the check just before the commit is not counted yet.
    return { until: context.clock.now() + LAST_LOOK_MS, reason: lastLook(outgoing) };
  },
  async describe(context) {
    const { outgoing } = frozenLogins(context);
    const replicas = context.replicas.map(({ name }) => `; done when ${name} has replayed it too`).join('');
    return `alters ${outgoing}: NOLOGIN and no password${mayTerminate(context) ? ', and ends the sessions that outstayed the drain' : ''}${replicas}`;
  },
  async warnings(context) {
    const { outgoing } = frozenLogins(context);
    const { prepared } = await useOnPrimary(context);
    const { clients, faults } = await pooledClients(context, outgoing);
    const left = clients.map(
      (who) =>
        `${who}: they stay logged in there, where they reach nothing now, but would use the password that ${outgoing} gets next; end them (KILL_CLIENT, from PgBouncer 1.24 on)`,
    );
    // An emergency does not drain, and so asks here for the first time.
    const untold = context.rotation.reason === 'emergency' ? faults : [];
    if (prepared.length === 0) return [...left, ...untold];
    return [
      ...left,
      ...untold,
      `${outgoing} leaves ${counted(prepared.length, 'prepared transaction')} behind, with its locks: ${prepared.map(describePrepared).join(', ')}; it may be half of a distributed commit, so keyturn does not end it, and only a superuser can`,
    ];
  },
};

function lastLook(outgoing: string): string {
  return `a last look whether somebody was just logging in as ${outgoing}`;
}

/** Whether the last look was announced long enough ago. When a replica replayed NOLOGIN it does not tell, the history does. */
async function wasLastLook(context: LoginsContext): Promise<boolean> {
  const reason = lastLook(frozenLogins(context).outgoing);
  const events = await context.ledger.events([context.rotation.id]);
  const said = events.find(({ kind, detail }) => kind === 'waiting' && detail === reason);
  const now = context.clock.now();
  // One in the future was written while a clock was wrong, and is not waited for.
  return said !== undefined && (isFuture(said.at, now) || now >= said.at.getTime() + LAST_LOOK_MS);
}

async function useOnPrimary(context: LoginsContext): Promise<LoginUse> {
  const { outgoing } = frozenLogins(context);
  // At this instant, and not as some poll saw it: on this it is decided who is revoked and cut.
  return (await usesOf(await context.rotator(), [outgoing])).get(outgoing) ?? NOBODY;
}

/** Whether nobody new comes in as the outgoing login; so it is, too, where that does not exist any more. */
async function isShut(context: LoginsContext): Promise<boolean> {
  const { outgoing } = frozenLogins(context);
  return !(await readLogins(await context.rotator(), [outgoing])).get(outgoing)?.canLogin;
}

/** Whether this step shut the outgoing login itself, on the proof of the published one: only then it waited for anything. */
async function isProven({ ledger, rotation }: LoginsContext): Promise<boolean> {
  const isBack = rotation.rolledBackTo !== null;
  const events = await ledger.events([rotation.id]);
  return events.some(({ step, kind, back }) => step === 'revoke' && kind === 'waiting' && back === isBack);
}

async function shut(context: LoginsContext): Promise<void> {
  const { outgoing } = frozenLogins(context);
  const client = await context.rotator();
  await withProvenLogin(context, 'revoke', {
    check: () => refuseUnpublished(context),
    async act() {
      if (!(await isShut(context))) await disableLogin(client, outgoing, endingOf(context));
    },
  }).catch((error: unknown) => rethrowNamingPrivileges(context, notRevoked(outgoing, error)));
}

/** What keeps a login from being shut out leaves it able to log in, and that is said first. */
function notRevoked(outgoing: string, error: unknown): unknown {
  if (!(error instanceof DatabaseError && error.kind === 'locked')) return error;
  return new DatabaseError('locked', `${outgoing} is NOT revoked yet: ${error.message}`, { cause: error });
}

/** Where sessions may be ended, so are those that keep NOLOGIN from being set; the history has them before. */
function endingOf(context: LoginsContext): AlterOptions {
  if (!mayCut(context)) return {};
  const { outgoing } = frozenLogins(context);
  return {
    onEnd: (holders) =>
      warn(
        context,
        'revoke',
        `ends sessions that keep ${outgoing} from being shut out: ${holders.map(describeHolder).join('; ')}`,
      ),
  };
}

async function refuseUnpublished(context: LoginsContext): Promise<void> {
  if (await isPublished(context)) return;
  const { incoming, outgoing } = frozenLogins(context);
  throw new Refusal(
    `${context.destinations[0].name} does not publish ${incoming} of this rotation any more, so ${outgoing} is not revoked; find out who changed the secret, then rotate again: keyturn rotate ${context.policy.name}`,
  );
}

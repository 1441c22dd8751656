import { counted } from '../../counted.ts';
import { readLogins } from '../../postgres/logins/login.ts';
import { describePrepared } from '../../postgres/sessions/prepared-transaction.ts';
import { describeSession, type LoginUse, NOBODY } from '../../postgres/sessions/sessions.ts';
import { frozenLogins, type LoginsContext } from '../context/rotation-context.ts';
import { mayTerminate } from '../may-terminate.ts';
import { pooledClients } from '../pooled-clients.ts';
import type { Step, Wait } from '../step.ts';
import { warn } from '../warn.ts';

/** Waits until nobody uses the outgoing login, or until the deadline has passed and the policy says to cut. */
export const drain: Step<LoginsContext> = {
  name: 'drain',
  async isDone(context) {
    if (mayCut(context)) return true;
    const { outgoing } = frozenLogins(context);
    if (isHeld(context, await lookTogether(context))) return false;
    // A login that lets nobody in and that nobody is in needs no grace.
    const login = (await readLogins(await context.rotator(), [outgoing])).get(outgoing);
    if (!login?.canLogin) return true;
    if (context.clock.now() < graceEnd(context)) return false;
    return (await pooledClients(context, outgoing)).clients.length === 0;
  },
  async run(context) {
    const now = context.clock.now();
    if (now < graceEnd(context)) {
      return {
        until: graceEnd(context),
        reason: 'grace: consumers may still read the old version from a cache',
      };
    }
    const { outgoing } = frozenLogins(context);
    const { clients, faults } = await pooledClients(context, outgoing, { release: true });
    for (const fault of faults) await warn(context, 'drain', fault);
    return waitForUse(context, await lookTogether(context), clients);
  },
  async describe(context) {
    const { outgoing } = frozenLogins(context);
    const { grace, timeout, onTimeout } = context.policy.drain;
    const { sessions, prepared } = (await context.uses([outgoing])).get(outgoing) ?? NOBODY;
    const holders = [
      ...sessions.map(describeSession),
      ...prepared.map((transaction) => `prepared transaction ${describePrepared(transaction)}`),
      ...(await pooledClients(context, outgoing)).clients,
    ];
    const who = holders.length === 0 ? 'none now' : `now: ${holders.join(', ')}`;
    if (context.rotation.reason === 'emergency') return `does not wait for sessions of ${outgoing} (${who})`;
    if (context.rotation.publishedAt === null) {
      return `waits ${seconds(grace)} of grace, then until ${outgoing} has no session (${who}); after ${seconds(timeout)}: ${onTimeout}`;
    }
    const left = (instant: number) => seconds(Math.max(0, instant - context.clock.now()));
    return `waits ${left(graceEnd(context))} more of grace, then until ${outgoing} has no session (${who}); in ${left(deadline(context))}: ${onTimeout}`;
  },
  async warnings(context) {
    // Who need not wait for anybody does not wait for a PgBouncer's answer either.
    if (mayCut(context)) return [];
    return (await pooledClients(context, frozenLogins(context).outgoing)).faults;
  },
};

/** Whether sessions of the outgoing login may be ended: its time is up and the policy says so, or the password leaked. */
export function mayCut(context: LoginsContext): boolean {
  const since = cutSince(context);
  return since !== undefined && context.clock.now() >= since;
}

/**
 * Whether the outgoing login must be waited for. A prepared transaction holds a drain up as a session does, but not
 * past the deadline: only its coordinator knows whether to commit it, so keyturn ends none. The login is shut out all
 * the same, and the rotation ends with a warning, since waiting on would hold back every rotation that follows.
 */
export function isHeld(context: LoginsContext, { sessions, prepared }: LoginUse): boolean {
  return sessions.length > 0 || (prepared.length > 0 && !mayCut(context));
}

/** Who uses the outgoing login, seen together with all that drain on this connection. */
function lookTogether(context: LoginsContext): Promise<LoginUse> {
  return context.look(frozenLogins(context).outgoing, pollInterval(context) / 2);
}

/** When to count again, and who is still there; `clients` are those of PgBouncers. */
export function waitForUse(context: LoginsContext, use: LoginUse, clients: readonly string[] = []): Wait {
  const { outgoing } = frozenLogins(context);
  const now = context.clock.now();
  const end = deadline(context);
  const late = now >= end ? ', past the deadline' : '';
  // On the multiples of the interval, so that policies that drain at the same time look at the same instant.
  const poll = pollInterval(context);
  const next = (Math.floor(now / poll) + 1) * poll;
  return {
    until: now < end ? Math.min(next, end) : next,
    reason: describeUse(use, `${outgoing}${late}`, clients),
    ...(late && !mayTerminate(context)
      ? {
          warning: `${outgoing} is still in use at the drain's deadline of ${new Date(end).toISOString()}; the policy says to go on waiting, so it stays able to log in until those who use it are gone`,
        }
      : {}),
  };
}

/** Who uses a login. Ages are left out: the text changes only when those who use it do. */
export function describeUse(
  { sessions, prepared }: LoginUse,
  login: string,
  clients: readonly string[] = [],
): string {
  const parts = [
    ...(sessions.length > 0 || prepared.length + clients.length === 0
      ? [
          `${counted(sessions.length, 'session')} of ${login}: ${sessions.map((session) => describeSession({ ...session, transactionAge: null })).join(', ')}`,
        ]
      : []),
    ...(prepared.length > 0
      ? [
          `${counted(prepared.length, 'prepared transaction')} of ${login}: ${prepared.map(describePrepared).join(', ')}`,
        ]
      : []),
    ...clients,
  ];
  return parts.join('; ');
}

function pollInterval(context: LoginsContext): number {
  const now = context.clock.now();
  const since = cutSince(context);
  // What was told to end is gone in a moment; what is not is asked less and less.
  const interval =
    since !== undefined && now >= since ? (now - since) / 4 : context.policy.drain.timeout / 100;
  return Math.round(Math.min(15_000, Math.max(250, interval)));
}

/** From when on sessions may be ended; undefined: never. */
function cutSince(context: LoginsContext): number | undefined {
  if (!mayTerminate(context)) return undefined;
  return context.rotation.reason === 'emergency' ? publishedAt(context) : deadline(context);
}

function publishedAt({ rotation, clock }: LoginsContext): number {
  return rotation.publishedAt?.getTime() ?? clock.now();
}

function graceEnd(context: LoginsContext): number {
  return publishedAt(context) + context.policy.drain.grace;
}

function deadline(context: LoginsContext): number {
  return publishedAt(context) + context.policy.drain.timeout;
}

function seconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 1000)} s`;
}

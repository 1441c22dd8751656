import type { LoginsPolicy } from '../../config/policy.ts';
import { fact } from '../../facts/fact.ts';
import type { SeenClients } from '../../facts/rotation/use-facts.ts';
import { canLogIn } from '../../postgres/logins/login.ts';
import { type LoginUse, NOBODY } from '../../postgres/sessions/sessions.ts';
import { frozenLogins, type LoginPair } from '../context/rotation-logins.ts';
import type { LoginsPreview, LoginsView } from '../context/rotation-view.ts';
import { mayTerminate } from '../may-terminate.ts';
import type { Step, Wait } from '../step.ts';
import { type PooledUse, pooledUse, withoutLeft } from '../uses/pooled-use.ts';
import { seenInDetail, seenUse } from '../uses/seen-use.ts';
import { warn } from '../warn.ts';

/**
 * Waits until nobody uses the outgoing login, or until the deadline has passed and the policy says
 * to cut.
 */
export const drain: Step<LoginsPolicy> = {
  name: 'drain',
  async isDone(context) {
    if (mayCut(context)) return true;
    // A login that is shut and unused needs no grace.
    if (context.clock.now() < graceEnd(context)) {
      return !mustWaitFor(context, await lookTogether(context)) && isShut(context);
    }
    const { use, clients } = await lookBeyondPools(context);
    return !mustWaitFor(context, use) && (clients.length === 0 || isShut(context));
  },
  async run(context) {
    const now = context.clock.now();
    if (now < graceEnd(context)) {
      return {
        until: graceEnd(context),
        fact: fact('drain-grace', { until: new Date(graceEnd(context)).toISOString() }),
      };
    }
    const { use, clients, faults } = await lookBeyondPools(context);
    for (const fault of faults) await warn(context, 'drain', fault);
    return waitForUse(context, use, clients);
  },
  async describe(context, { outgoing }: LoginPair) {
    const { grace, timeout, onTimeout } = context.policy.drain;
    const found = (await context.uses([outgoing])).get(outgoing) ?? NOBODY;
    const { idle, clients } = await pooledUse(context, outgoing);
    const use = seenInDetail(outgoing, withoutLeft(found, idle), clients);
    if (context.reason === 'emergency') return fact('plan-no-drain', use);
    if (!context.rotation?.publishedAt) {
      return fact('plan-drain', { ...use, grace, timeout, begun: false, onTimeout });
    }
    const left = (instant: number) => Math.max(0, instant - context.clock.now());
    return fact('plan-drain', {
      ...use,
      grace: left(graceEnd(context)),
      timeout: left(deadline(context)),
      begun: true,
      onTimeout,
    });
  },
  async warnings(context, { outgoing }: LoginPair) {
    // Skip PgBouncer when there is nothing to wait for.
    if (mayCut(context)) return [];
    return (await pooledUse(context, outgoing)).faults;
  },
};

/**
 * Whether nobody new comes in as the outgoing login; so it is, too, where that does not exist any
 * more.
 */
export async function isShut(context: LoginsView): Promise<boolean> {
  const { outgoing } = frozenLogins(context);
  return !(await canLogIn(await context.rotator(), outgoing));
}

/**
 * Whether sessions of the outgoing login may be ended: its time is up and the policy says so, or
 * the password leaked.
 */
export function mayCut(context: LoginsPreview): boolean {
  // Whatever the clock says: it may have been corrected since the instant of publish was written.
  if (context.reason === 'emergency') return true;
  const since = cutSince(context);
  return since !== undefined && context.clock.now() >= since;
}

/**
 * Whether the outgoing login must be waited for. A prepared transaction holds a drain up as a
 * session does, but not past the deadline: only its coordinator knows whether to commit it, so
 * keyturn ends none. The login is shut out all the same, and the rotation ends with a warning,
 * since waiting on would hold back every rotation that follows.
 */
export function mustWaitFor(context: LoginsPreview, { sessions, prepared }: LoginUse): boolean {
  return sessions.length > 0 || (prepared.length > 0 && !mayCut(context));
}

/** Who uses the outgoing login. Policies that drain on the same connection share the query. */
function lookTogether(context: LoginsView): Promise<LoginUse> {
  return context.look(frozenLogins(context).outgoing, pollInterval(context) / 2);
}

/**
 * Who uses the outgoing login, there and at PgBouncers. A session that a PgBouncer keeps for nobody
 * is not waited for: `revoke` ends it, once no client can be given it any more.
 */
async function lookBeyondPools(context: LoginsView): Promise<PooledUse & { readonly use: LoginUse }> {
  const { outgoing } = frozenLogins(context);
  const seen = await lookTogether(context);
  const pooled = await pooledUse(context, outgoing);
  const use = withoutLeft(seen, pooled.idle);
  if (mustWaitFor(context, use) || !mustWaitFor(context, seen)) return { ...pooled, use };
  // That nobody else uses it must be new, since the login is revoked on the strength of it.
  const anew = (await context.uses([outgoing])).get(outgoing) ?? NOBODY;
  return { ...pooled, use: withoutLeft(anew, pooled.idle) };
}

/** When to count again, and who is still there; `clients` are those of PgBouncers. */
export function waitForUse(context: LoginsView, use: LoginUse, clients: readonly SeenClients[] = []): Wait {
  const { outgoing } = frozenLogins(context);
  const now = context.clock.now();
  const end = deadline(context);
  const pastDeadline = now >= end;
  // On multiples of the interval, so that policies that drain at the same time share a query.
  const poll = pollInterval(context);
  const next = (Math.floor(now / poll) + 1) * poll;
  return {
    until: now < end ? Math.min(next, end) : next,
    fact: fact('drain-waiting-for-sessions', { ...seenUse(outgoing, use, clients), pastDeadline }),
    ...(pastDeadline && !mayTerminate(context)
      ? {
          warning: {
            fact: fact('drain-past-deadline', {
              login: outgoing,
              deadline: new Date(end).toISOString(),
            }),
            subject: outgoing,
          },
        }
      : {}),
  };
}

function pollInterval(context: LoginsPreview): number {
  const now = context.clock.now();
  const since = cutSince(context);
  // Sessions that were told to end are gone in a moment; for those that stay the interval grows.
  const interval =
    since !== undefined && now >= since ? (now - since) / 4 : context.policy.drain.timeout / 100;
  return Math.round(Math.min(15_000, Math.max(250, interval)));
}

/** From when on sessions may be ended; undefined: never. */
function cutSince(context: LoginsPreview): number | undefined {
  if (!mayTerminate(context)) return undefined;
  return context.reason === 'emergency' ? publishedAt(context) : deadline(context);
}

function publishedAt({ rotation, clock }: LoginsPreview): number {
  return rotation?.publishedAt?.getTime() ?? clock.now();
}

function graceEnd(context: LoginsPreview): number {
  return publishedAt(context) + context.policy.drain.grace;
}

function deadline(context: LoginsPreview): number {
  return publishedAt(context) + context.policy.drain.timeout;
}

import type pg from 'pg';
import { type Fact, fact } from '../../facts/fact.ts';
import { factOf, fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { recorded } from '../../ledger/audit/recorded.ts';
import { type Requester, requesterOf } from '../../ledger/audit/requester.ts';
import { connectRotator } from '../../postgres/connection/connect-rotator.ts';
import { readStandings } from '../../postgres/roles/role-standing.ts';
import { shutOut } from '../../postgres/roles/role-statements.ts';
import { terminations } from '../../postgres/sessions/sessions.ts';
import { startingSessions } from '../../postgres/sessions/starting-sessions.ts';
import { underLock } from '../under-lock.ts';
import { dropForGood } from './drop-for-good.ts';
import { dropOwner } from './drop-owner.ts';
import { refuseMissingDropRights } from './drop-rights.ts';
import type { DropTarget } from './drop-target.ts';
import { handOver } from './hand-over.ts';
import { type DropContext, refuseDrop } from './refuse-drop.ts';

interface Context extends DropContext, Requester {}

export interface Dropped {
  readonly dropped: readonly string[];
  /** Logins that something still depends on. They cannot log in any more. */
  readonly deactivated: readonly string[];
  /** What was done and what was not, in this order. */
  readonly facts: readonly Fact[];
}

/**
 * Drops the logins of a policy, and its owner if keyturn created it and nobody needs it, under the
 * policy's lock. The logins are disabled first, so that nobody creates anything as them. The rest
 * is done all of it or nothing. What they own becomes the owner's; data is never dropped. Throws as
 * {@link refuseDrop} does.
 */
export async function dropRoles(client: pg.Client, target: DropTarget, context: Context): Promise<Dropped> {
  const { ledger } = context;
  const action = { policy: target.policy, kind: 'drop', ...requesterOf(context) } as const;
  const told = ({ dropped, deactivated }: Dropped) => fact('roles-dropped', { dropped, deactivated });
  return recorded({ ledger, action, told }, (begin) => shutAndDrop(client, target, { ...context, begin }));
}

async function shutAndDrop(
  client: pg.Client,
  target: DropTarget,
  { begin, ...context }: Context & { readonly begin: () => Promise<void> },
): Promise<Dropped> {
  const { logins } = target;
  await using session = await connectRotator(context.connection);
  const existing = await underLock(client, logins, async () => {
    await refuseDrop(client, target, context);
    const found = await readStandings(client, logins);
    const present = logins.filter((login) => found.has(login));
    await refuseMissingDropRights(client, target, present);
    await begin();
    for (const login of present) await client.query(shutOut(login));
    return present;
  });
  try {
    await refuseStarting(session.client, existing);
    return await underLock(client, logins, async () => {
      // By now everybody can be seen who logged in before the logins were disabled.
      await refuseDrop(client, target, context);
      return await dropDisabled(client, target, { ...context, existing, observer: session.client });
    });
  } catch (cause) {
    if (existing.length === 0) throw cause;
    throw fault('drop-stopped', { logins: existing, cause: factOf(cause) }, { cause });
  }
}

/** Throws where sessions are starting that may be of one of the logins. */
async function refuseStarting(observer: pg.ClientBase, logins: readonly string[]): Promise<void> {
  const pids = await startingSessions(observer);
  if (pids.length === 0 || logins.length === 0) return;
  throw fault('drop-sessions-starting', { logins, pids }, { remedies: [sql(...terminations(pids))] });
}

/** Drops logins that nobody uses, and that nobody can log in to. */
async function dropDisabled(
  client: pg.Client,
  target: DropTarget,
  context: Context & { readonly existing: readonly string[]; readonly observer: pg.ClientBase },
): Promise<Dropped> {
  const { owner } = target;
  const facts = target.logins
    .filter((login) => !context.existing.includes(login))
    .map((login): Fact => fact('role-already-gone', { kind: 'login', role: login }));
  for (const login of context.existing)
    facts.push(...(await dropLogin(client, login, owner, context.observer)));
  if (owner !== undefined) facts.push(await dropOwner(client, { ...target, owner }, context));
  const dropped = facts.flatMap((each) => (each.code === 'drop-role' ? each.params.role : []));
  const deactivated = facts.flatMap((each) => (each.code === 'deactivate-login' ? each.params.login : []));
  await context.ledger.provisions.record({
    policy: target.policy,
    kind: 'drop',
    connection: target.connection,
    logins: target.logins,
    owner: owner ?? null,
    access: null,
    schemas: [],
    made: [],
    dropped,
    deactivated,
    requestedBy: context.requestedBy,
  });
  return { dropped, deactivated, facts };
}

/**
 * Returns what was handed over, if anything was, and whether the login is dropped or only disabled.
 */
async function dropLogin(
  client: pg.Client,
  login: string,
  owner: string | undefined,
  observer: pg.ClientBase,
): Promise<Fact[]> {
  const handedOver = await handOver(client, login, owner);
  const newOwner = owner === undefined ? {} : { newOwner: owner };
  const outcome = await dropForGood(client, { observer, role: login, ...newOwner });
  return [
    ...(handedOver === undefined ? [] : [handedOver]),
    outcome.isDropped
      ? fact('drop-role', { kind: 'login', role: login })
      : fact('deactivate-login', { login, dependents: outcome.dependents }),
  ];
}

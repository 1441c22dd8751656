import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { connect } from '../../postgres/connection/connect.ts';
import { missingPrivileges, readServer } from '../../postgres/connection/rotator.ts';
import { quoteIdentifier } from '../../postgres/identifier.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { readStandings } from '../../postgres/roles/role-standing.ts';
import { dropOwned, reassignOwned, shutOut } from '../../postgres/roles/role-statements.ts';
import { LAST_LOOK_MS } from '../../postgres/sessions/last-look.ts';
import { missingFindings } from '../../rotation/findings/missing-findings.ts';
import { refuse } from '../../rotation/findings/refuse.ts';
import { Refusal } from '../../rotation/refusal.ts';
import { missingRights } from '../missing-rights.ts';
import { underLock } from '../under-lock.ts';
import { dropForGood } from './drop-for-good.ts';
import { dropOwner } from './drop-owner.ts';
import type { DropTarget } from './drop-target.ts';
import { handOver, ownedHere } from './hand-over.ts';
import { type DropWitnesses, refuseDrop } from './refuse-drop.ts';

type Witnesses = DropWitnesses & { readonly requestedBy: string };

export interface Dropped {
  readonly dropped: readonly string[];
  /** Logins that something depends on still, and that cannot log in any more. */
  readonly deactivated: readonly string[];
  /** What was done and what was not, a line each. */
  readonly lines: readonly string[];
}

/**
 * Drops the logins of a policy, and its owner if keyturn made it and nobody needs it, under the policy's lock. The logins
 * are shut out first, so that nobody makes anything as them; the rest is done all of it or nothing. What they own
 * becomes the owner's; data is never dropped. Throws as {@link refuseDrop} does.
 */
export async function dropRoles(
  client: pg.Client,
  target: DropTarget,
  witnesses: Witnesses,
): Promise<Dropped> {
  const { logins } = target;
  await using session = await connect(witnesses.connection);
  const existing = await underLock(client, logins, async () => {
    await refuseDrop(client, target, witnesses);
    const found = await readStandings(client, logins);
    const present = logins.filter((login) => found.has(login));
    await refuseMissingRights(client, target, present);
    for (const login of present) await client.query(shutOut(login));
    return present;
  });
  await sleep(LAST_LOOK_MS);
  try {
    return await underLock(client, logins, async () => {
      // Who came in before the door was shut is seen by now.
      await refuseDrop(client, target, witnesses);
      return await dropShut(client, target, { ...witnesses, existing, witness: session.client });
    });
  } catch (cause) {
    if (existing.length === 0) throw cause;
    throw new Error(
      `${existing.join(' and ')} cannot log in any more, but nothing is dropped: ${(cause as Error).message}`,
      { cause },
    );
  }
}

/** Drops logins that nobody is in, and nobody can log in to. */
async function dropShut(
  client: pg.Client,
  target: DropTarget,
  {
    existing,
    ...witnesses
  }: Witnesses & { readonly existing: readonly string[]; readonly witness: pg.ClientBase },
): Promise<Dropped> {
  const { ledger, requestedBy, witness } = witnesses;
  const { owner } = target;
  const lines: string[] = [];
  const dropped: string[] = [];
  const deactivated: string[] = [];
  for (const login of target.logins) {
    if (!existing.includes(login)) lines.push(`the login ${login} does not exist`);
  }
  for (const login of existing) {
    lines.push(...(await handOver(client, login, owner)));
    const dependents = await dropForGood(client, {
      witness,
      role: login,
      ...(owner === undefined ? {} : { heir: owner }),
    });
    if (dependents.length === 0) {
      dropped.push(login);
      lines.push(`drops the login ${login}`);
      continue;
    }
    deactivated.push(login);
    lines.push(
      `deactivates the login ${login} (NOLOGIN, no password) and does not drop it, for it is needed still: ${dependents.join(', ')}`,
    );
  }
  if (owner !== undefined) {
    const reason = await dropOwner(client, { ...target, owner }, witnesses);
    if (reason === undefined) dropped.push(owner);
    lines.push(reason ?? `drops the owner ${owner}`);
  }
  await ledger.provisions.record({
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
    requestedBy,
  });
  return { dropped, deactivated, lines };
}

async function refuseMissingRights(
  client: pg.Client,
  { owner, logins }: DropTarget,
  existing: readonly string[],
): Promise<void> {
  const server = await readServer(client);
  const to = quoteIdentifier(server.rotator);
  const standings = await readStandings(client, [...logins, ...(owner === undefined ? [] : [owner])]);
  const owned = await ownedHere(client, existing);
  if (owner !== undefined && owned.length > 0 && !standings.has(owner)) {
    throw new Refusal(
      `The owner ${owner}, to which belongs what the logins own, does not exist; run: CREATE ROLE ${quoteIdentifier(owner)} NOLOGIN`,
    );
  }
  const changes: Change[] = existing.map((login) => ({
    what: `drops ${login}`,
    sql: dropOwned(login),
    rights: [login, ...(owned.some(({ role }) => role === login) && owner !== undefined ? [owner] : [])],
  }));
  const missing = [
    ...(await missingPrivileges(client, existing, { mayTerminate: false })),
    ...missingRights(
      changes,
      { standings, server },
      { to, otherwise: reassignOwned(existing[0] ?? '', owner ?? '') },
    ),
  ];
  refuse(missingFindings(server.rotator, missing));
}

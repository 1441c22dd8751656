import type pg from 'pg';
import { counted } from '../counted.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';
import { type OwnedObjects, ownedObjects } from '../postgres/owned-objects.ts';
import { withRightsOf } from '../postgres/roles/borrowed-rights.ts';
import type { Change } from '../postgres/roles/change.ts';
import { tryDropRole } from '../postgres/roles/drop-role.ts';
import { readStandings } from '../postgres/roles/role-standing.ts';
import { dropOwned, reassignOwned, shutOut } from '../postgres/roles/role-statements.ts';
import { missingPrivileges, readServer } from '../postgres/rotator.ts';
import { missingFindings } from '../rotation/findings/missing-findings.ts';
import { refuse } from '../rotation/findings/refuse.ts';
import { Refusal } from '../rotation/refusal.ts';
import type { DropTarget } from './drop-target.ts';
import { missingRights } from './missing-rights.ts';
import { type DropWitnesses, refuseDrop } from './refuse-drop.ts';
import { underLock } from './under-lock.ts';

export interface Dropped {
  readonly dropped: readonly string[];
  /** Logins that something depends on still, and that cannot log in any more. */
  readonly deactivated: readonly string[];
  /** What was done and what was not, a line each. */
  readonly lines: readonly string[];
}

/**
 * Drops the logins of a policy, and its owner if keyturn made it and nobody needs it, under the policy's lock: all of it
 * or nothing. What the logins own becomes the owner's; data is never dropped. Throws a Refusal as {@link refuseDrop} does.
 */
export async function dropRoles(
  client: pg.Client,
  target: DropTarget,
  witnesses: DropWitnesses & { readonly requestedBy: string },
): Promise<Dropped> {
  const { ledger, requestedBy } = witnesses;
  return underLock(client, target.logins, async () => {
    await refuseDrop(client, target, witnesses);
    const found = await readStandings(client, target.logins);
    const existing = target.logins.filter((login) => found.has(login));
    await refuseMissingRights(client, target, existing);
    const lines: string[] = [];
    const dropped: string[] = [];
    const deactivated: string[] = [];
    for (const login of target.logins) {
      if (!existing.includes(login)) lines.push(`the login ${login} does not exist`);
    }
    for (const login of existing) {
      lines.push(...(await handOver(client, login, target.owner)));
      const dependents = await tryDropRole(client, login);
      if (dependents.length === 0) {
        dropped.push(login);
        lines.push(`drops the login ${login}`);
        continue;
      }
      await client.query(shutOut(login));
      deactivated.push(login);
      lines.push(
        `deactivates the login ${login} (NOLOGIN, no password) and does not drop it, for it is needed still: ${dependents.join(', ')}`,
      );
    }
    if (target.owner !== undefined) {
      const reason = await dropOwner(client, { ...target, owner: target.owner }, witnesses);
      if (reason === undefined) dropped.push(target.owner);
      lines.push(reason ?? `drops the owner ${target.owner}`);
    }
    await ledger.provisions.record({
      policy: target.policy,
      kind: 'drop',
      connection: target.connection,
      logins: target.logins,
      owner: target.owner ?? null,
      access: null,
      schemas: [],
      made: [],
      dropped,
      deactivated,
      requestedBy,
    });
    return { dropped, deactivated, lines };
  });
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

async function handOver(client: pg.Client, login: string, owner: string | undefined): Promise<string[]> {
  const owned = await ownedHere(client, [login]);
  if (owned.length === 0 || owner === undefined) return [];
  await withRightsOf(client, [login, owner], async () => {
    await client.query(reassignOwned(login, owner));
  });
  const left = await ownedHere(client, [login]);
  if (left.length > 0) {
    throw new Refusal(
      `${login} still owns ${left.flatMap(({ examples }) => examples).join(', ')}, which PostgreSQL does not hand over; hand it over by hand`,
    );
  }
  const count = owned.reduce((sum, one) => sum + one.count, 0);
  return [
    `hands ${counted(count, 'object')} of ${login} to ${owner}: ${owned.flatMap(({ examples }) => examples).join(', ')}`,
  ];
}

/** What belongs to the roles in the connected database, and of what all databases share. */
async function ownedHere(client: pg.ClientBase, roles: readonly string[]): Promise<OwnedObjects[]> {
  // Only there are examples named.
  return (await ownedObjects(client, roles)).filter(({ examples }) => examples.length > 0);
}

/** Returns why the owner is kept; undefined where it was dropped. */
async function dropOwner(
  client: pg.Client,
  { owner, connection, logins }: DropTarget & { readonly owner: string },
  { ledger, others }: DropWitnesses,
): Promise<string | undefined> {
  const standing = (await readStandings(client, [owner])).get(owner);
  if (!standing) return `the owner ${owner} does not exist`;
  if (!(await ledger.provisions.made(connection)).includes(owner)) {
    return `keeps the owner ${owner}, which keyturn did not make`;
  }
  const user = others.find((policy) => policy.owner === owner);
  if (user) return `keeps the owner ${owner}, which is the owner of the policy ${user.name} too`;
  const owned = await ownedObjects(client, [owner]);
  if (owned.length > 0) {
    const places = owned.map(
      ({ count, database }) =>
        counted(count, 'object') + (database === null ? '' : ` in database ${database}`),
    );
    return `keeps the owner ${owner}, which owns ${places.join(' and ')}`;
  }
  const { rotator } = await readServer(client);
  const members = standing.members.filter((member) => member !== rotator);
  if (members.length > 0) {
    const deactivated = members.every((member) => logins.includes(member));
    return `keeps the owner ${owner}, of which ${members.join(' and ')} ${members.length === 1 ? 'is a member' : 'are members'}${deactivated ? ' still' : ''}`;
  }
  const dependents = await tryDropRole(client, owner);
  return dependents.length === 0
    ? undefined
    : `keeps the owner ${owner}, which is needed still: ${dependents.join(', ')}`;
}

import type pg from 'pg';
import { fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { sql } from '../../facts/remedy.ts';
import { readServer } from '../../postgres/connection/rotator.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { readStandings } from '../../postgres/roles/role-standing.ts';
import { createRole, dropOwned, reassignOwned } from '../../postgres/roles/role-statements.ts';
import { refuseMissingRights } from '../missing-rights.ts';
import type { DropTarget } from './drop-target.ts';
import { ownedHere } from './hand-over.ts';

/** Throws a fault that names every right that the rotator lacks to drop the logins that exist. */
export async function refuseMissingDropRights(
  client: pg.Client,
  { owner, logins }: DropTarget,
  existing: readonly string[],
): Promise<void> {
  const server = await readServer(client);
  const standings = await readStandings(client, [...logins, ...(owner === undefined ? [] : [owner])]);
  const owned = await ownedHere(client, existing);
  if (owner !== undefined && owned.length > 0 && !standings.has(owner)) {
    throw fault('drop-owner-missing', { owner }, { remedies: [sql(createRole(owner))] });
  }
  const changes = existing.map((login): Change => {
    const isOwner = owned.some(({ role }) => role === login);
    return {
      does: fact('drop-role', { kind: 'login', role: login }),
      sql: dropOwned(login),
      rights: [login, ...(isOwner && owner !== undefined ? [owner] : [])],
    };
  });
  await refuseMissingRights(client, {
    changes,
    logins: existing,
    mayTerminate: false,
    server,
    standings,
    bySuperuser: sql(reassignOwned(existing[0] ?? '', owner ?? '')),
  });
}

import { fact } from '../facts/fact.ts';
import { fault } from '../facts/fault.ts';
import { sql } from '../facts/remedy.ts';
import { existingSchemas } from '../postgres/roles/grantable.ts';
import { readStandings } from '../postgres/roles/role-standing.ts';
import { createSchema } from '../postgres/roles/role-statements.ts';
import { ACCESS_LEVELS, type Access } from './access.ts';
import { granteesOf, type Intent, rolesOf } from './intent.ts';
import { lastChoice } from './last-choice.ts';
import type { RequestedAccess, RolesContext } from './roles-context.ts';

/** Names of roles that keyturn creates: they need no quotes in SQL, URLs and file names. */
const PLAIN = /^[A-Za-z0-9_-]{1,50}$/;

/**
 * What the roles of a policy are meant to be: as requested, else as chosen last. If nothing was
 * ever chosen, what is granted to roles that exist stays as it is. New roles get the level `owner`
 * if there is an owner, else `none`. Throws a fault for a request that cannot be met.
 */
export async function intentOf(context: RolesContext, requested: RequestedAccess): Promise<Intent> {
  const { policy, client, creators, sharing } = context;
  const { logins, owner } = policy;
  const pair = { logins, ...(owner === undefined ? {} : { owner }) };
  const existing = await readStandings(client, rolesOf(pair));
  refuseNames(
    context,
    rolesOf(pair).filter((role) => !existing.has(role)),
  );
  const isNew = granteesOf(pair).every((role) => !existing.has(role));
  const byDefault = isNew ? (owner === undefined ? 'none' : 'owner') : null;
  const last = lastChoice(context);
  const asked = requested.access ?? last?.access;
  const access = asked === undefined || asked === null ? byDefault : accessOf(asked);
  if (access === 'owner' && owner === undefined) {
    throw fault('owner-level-without-owner', { policy: policy.name });
  }
  const schemas = requested.schemas ?? last?.schemas ?? ['public'];
  await refuseMissingSchemas(context, schemas);
  const kept = [...schemas, ...sharing.flatMap((other) => other.schemas)];
  const former = (last?.schemas ?? []).filter((schema) => !kept.includes(schema));
  return { policy: policy.name, ...pair, access, schemas, former, creators };
}

function accessOf(text: string): Access {
  const access = ACCESS_LEVELS.find((level) => level === text);
  if (!access) throw fault('access-level-unknown', { access: text, levels: ACCESS_LEVELS });
  return access;
}

function refuseNames({ policy }: RolesContext, missing: readonly string[]): void {
  const { name, logins, owner } = policy;
  const places = [
    ...logins.map((role, index) => ({ role, path: ['policies', name, 'logins', index] })),
    ...(owner === undefined ? [] : [{ role: owner, path: ['policies', name, 'owner'] }]),
  ];
  const problems = places
    .filter(({ role }) => missing.includes(role) && !PLAIN.test(role))
    .map(({ role, path }) => ({ path, fact: fact('role-name-unsuitable', { role }) }));
  if (problems.length > 0) throw fault('roles-not-creatable', { problems });
}

async function refuseMissingSchemas({ client }: RolesContext, schemas: readonly string[]): Promise<void> {
  const existing = await existingSchemas(client, schemas);
  const missing = schemas.filter((schema) => !existing.includes(schema));
  if (missing.length === 0) return;
  throw fault('schemas-missing', { schemas: missing }, { remedies: [sql(...missing.map(createSchema))] });
}

import { existingSchemas } from '../postgres/roles/grantable.ts';
import { readStandings } from '../postgres/roles/role-standing.ts';
import { createSchema } from '../postgres/roles/role-statements.ts';
import { ACCESS_LEVELS, type Access } from './access.ts';
import { granteesOf, type Intent, rolesOf } from './intent.ts';
import { lastChoice } from './last-choice.ts';
import { RequestError } from './request-error.ts';
import type { RolesContext, Wish } from './roles-context.ts';

/** What a role that keyturn makes may be called: these survive unquoted hands, URLs and file names. */
const PLAIN = /^[A-Za-z0-9_-]{1,50}$/;

/**
 * What the roles of a policy are meant to be: as asked for, else as chosen last. Never chosen, what is granted to roles
 * that exist stays as it is, and new ones own what they create if there is an owner, or get nothing.
 * Throws a RequestError for what cannot be.
 */
export async function intentOf(context: RolesContext, wish: Wish): Promise<Intent> {
  const { policy, client, creators, sharing } = context;
  const { logins, owner } = policy;
  const pair = { logins, ...(owner === undefined ? {} : { owner }) };
  const existing = await readStandings(client, rolesOf(pair));
  refuseNames(
    context,
    rolesOf(pair).filter((role) => !existing.has(role)),
  );
  const isNew = granteesOf(pair).every((role) => !existing.has(role));
  const untold = isNew ? (owner === undefined ? 'none' : 'owner') : null;
  const last = lastChoice(context);
  const asked = wish.access ?? last?.access;
  const access = asked === undefined || asked === null ? untold : accessOf(asked);
  if (access === 'owner' && owner === undefined) {
    throw new RequestError(
      `The policy ${policy.name} has no owner, so what one login creates would not be the other's; give it one (owner: ${policy.name.replaceAll('-', '_')}_owner), or choose none, read or read-write`,
    );
  }
  const schemas = wish.schemas ?? last?.schemas ?? ['public'];
  await refuseMissingSchemas(context, schemas);
  const kept = [...schemas, ...sharing.flatMap((other) => other.schemas)];
  const former = (last?.schemas ?? []).filter((schema) => !kept.includes(schema));
  return { policy: policy.name, ...pair, access, schemas, former, creators };
}

export function accessOf(text: string): Access {
  const access = ACCESS_LEVELS.find((level) => level === text);
  if (!access)
    throw new RequestError(
      `${JSON.stringify(text)} is no level of access; choose ${ACCESS_LEVELS.join(', ')}`,
    );
  return access;
}

function refuseNames({ policy }: RolesContext, missing: readonly string[]): void {
  const { name, logins, owner } = policy;
  const places = [
    ...logins.map((role, index) => ({ role, path: ['policies', name, 'logins', index] })),
    ...(owner === undefined ? [] : [{ role: owner, path: ['policies', name, 'owner'] }]),
  ];
  const faults = places
    .filter(({ role }) => missing.includes(role) && !PLAIN.test(role))
    .map(({ role, path }) => ({
      path,
      message: `${JSON.stringify(role)} does not exist, and keyturn makes no role of such a name; must be up to 50 letters, digits, - and _, or the name of a role that exists`,
    }));
  const [first] = faults;
  if (first) throw new RequestError(first.message, faults);
}

async function refuseMissingSchemas({ client }: RolesContext, schemas: readonly string[]): Promise<void> {
  const existing = await existingSchemas(client, schemas);
  const missing = schemas.filter((schema) => !existing.includes(schema));
  if (missing.length === 0) return;
  throw new RequestError(
    `There is no schema ${missing.join(' and no schema ')}; choose others, or run: ${missing.map(createSchema).join('; ')}`,
  );
}

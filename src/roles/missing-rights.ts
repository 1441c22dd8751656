import type pg from 'pg';
import { type Fact, fact } from '../facts/fact.ts';
import { type Fault, fault } from '../facts/fault.ts';
import { type Remedy, sql } from '../facts/remedy.ts';
import { type MissingPrivilege, missingPrivileges, type Server } from '../postgres/connection/rotator.ts';
import { quoteIdentifier } from '../postgres/identifier.ts';
import type { Change } from '../postgres/roles/change.ts';
import type { RoleStanding } from '../postgres/roles/role-standing.ts';
import { allowCreateRole, grantAdmin, inheritRights } from '../postgres/roles/role-statements.ts';
import { WITH_OPTIONS } from '../postgres/roles/with-options.ts';

export interface PlannedChanges {
  readonly changes: readonly Change[];
  /** The logins that are altered. */
  readonly logins: readonly string[];
  /** Whether rotations of the policy end sessions, which takes a right too. */
  readonly mayTerminate: boolean;
  readonly server: Server;
  readonly standings: ReadonlyMap<string, RoleStanding>;
  /** What a superuser does where nobody can give the rotator the right. */
  readonly bySuperuser: Remedy;
}

/** A right that the rotator lacks, and what gives it. */
interface MissingRight {
  readonly right: Fact;
  readonly remedy: Remedy;
}

/**
 * Throws a fault that names every right that the rotator lacks to make these changes, and what
 * gives each.
 */
export async function refuseMissingRights(client: pg.ClientBase, planned: PlannedChanges): Promise<void> {
  const { logins, mayTerminate, server } = planned;
  const privileges = await missingPrivileges(client, logins, { mayTerminate });
  const rights = missingRights(planned);
  if (privileges.length + rights.length > 0) throw rightsMissing(server.rotator, privileges, rights);
}

/**
 * Throws the same where PostgreSQL refused the policy's lock, which takes the right to alter the
 * logins; returns where it was refused for another reason.
 */
export async function refuseUnlockable(client: pg.ClientBase, logins: readonly string[]): Promise<void> {
  const privileges = await missingPrivileges(client, logins, { mayTerminate: false });
  // pg's types know the name of the login of a Client only.
  const rotator = (client as pg.Client).user ?? '';
  if (privileges.length > 0) throw rightsMissing(rotator, privileges, []);
}

function rightsMissing(
  rotator: string,
  privileges: readonly MissingPrivilege[],
  rights: readonly MissingRight[],
): Fault {
  return fault(
    'roles-rights-missing',
    {
      rotator,
      privileges: privileges.map(({ right }) => right),
      rights: rights.map(({ right }) => right),
    },
    {
      remedies: together([
        ...privileges.map(({ remedy }) => sql(remedy)),
        ...rights.map(({ remedy }) => remedy),
      ]),
    },
  );
}

/** The rotator may alter the roles that it creates itself, and lend itself their rights. */
function missingRights({ changes, server, standings, bySuperuser }: PlannedChanges): MissingRight[] {
  const lookUp = (roles: readonly string[] = []) => roles.flatMap((role) => standings.get(role) ?? []);
  const superuser = changes
    .filter(({ instead }) => !instead)
    .flatMap(({ rights }) => lookUp(rights))
    .find(({ rights }) => rights === 'never');
  if (superuser) {
    // A superuser who makes all of the changes need not give the rotator anything.
    return [{ right: fact('cannot-act-for-superuser', { role: superuser.name }), remedy: bySuperuser }];
  }
  const missing = changes.flatMap(({ rights, administers, instead }): MissingRight[] => {
    const refused = lookUp(rights).find((role) => !['had', 'borrowable'].includes(role.rights));
    if (refused) return [missingRight(refused, instead, server)];
    const unadministered = lookUp(administers).find(({ administered }) => !administered);
    if (server.version < WITH_OPTIONS || !unadministered) return [];
    const { name } = unadministered;
    return [{ right: fact('cannot-make-members', { role: name }), remedy: administer(name, server) }];
  });
  return [...new Map(missing.map((one) => [JSON.stringify(one.remedy), one])).values()];
}

function missingRight(
  { name, rights }: RoleStanding,
  instead: Change['instead'],
  server: Server,
): MissingRight {
  const to = quoteIdentifier(server.rotator);
  if (instead) return { right: instead.right, remedy: sql(instead.remedy(to)) };
  if (rights === 'not inherited') {
    const remedy = sql(inheritRights(name, to, server.version));
    return { right: fact('cannot-use-rights-of-role', { role: name }), remedy };
  }
  return { right: fact('cannot-act-for-role', { role: name }), remedy: administer(name, server) };
}

function administer(role: string, { rotator, version }: Server): Remedy {
  const to = quoteIdentifier(rotator);
  return sql(version < WITH_OPTIONS ? allowCreateRole(to) : grantAdmin(role, to));
}

/** Commands, and after them each statement once. */
function together(remedies: readonly Remedy[]): Remedy[] {
  const statements = remedies.flatMap((remedy) => (remedy.kind === 'sql' ? remedy.statements : []));
  const others = remedies.filter(({ kind }) => kind !== 'sql');
  return [...others, ...(statements.length > 0 ? [sql(...new Set(statements))] : [])];
}

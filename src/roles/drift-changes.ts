import { counted } from '../counted.ts';
import type { Login } from '../postgres/logins/login.ts';
import type { OwnedObjects } from '../postgres/logins/owned-objects.ts';
import type { Change } from '../postgres/roles/change.ts';
import {
  grantMembership,
  letLogIn,
  limitConnections,
  neverExpire,
  reassignOwned,
  revokeMembership,
  shutOut,
} from '../postgres/roles/role-statements.ts';
import { WITH_OPTIONS } from '../postgres/roles/with-options.ts';
import type { Intent } from './intent.ts';
import { withMissingLogins } from './with-missing-logins.ts';
import type { World } from './world.ts';

/** What a repair has to know that the database does not. */
export interface Circumstances {
  /** The published login; undefined while none is. */
  readonly published: string | undefined;
  readonly hasOpenRotation: boolean;
  /** Roles that keyturn made. */
  readonly made: readonly string[];
}

/** The same, with how the logins are used. */
export interface Use extends Circumstances {
  /** Who holds on to logins of which {@link isLeftOpen}. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
  /** What belongs to the logins themselves, in every database. */
  readonly owned: readonly OwnedObjects[];
}

/** What else has drifted, and what of it is left: each with the reason. */
export interface Drift {
  readonly changes: readonly Change[];
  readonly left: readonly string[];
}

/** Puts back what makes the logins fit to take turns, apart from what creating them does. */
export function driftOf(intent: Intent, before: World, use: Use): Drift {
  const world = withMissingLogins(intent, before);
  const logins = intent.logins.flatMap((name) => world.logins.get(name) ?? []);
  const parts = logins.map((login) => shutOrOpen(login, use));
  const model = { ...use, published: modelOf(intent, before, use) };
  const handed = ownership(intent, world, use.owned);
  return {
    changes: [
      ...parts.flatMap(({ changes }) => changes),
      ...logins.flatMap((login) => expiry(login, logins)),
      ...logins.flatMap((login) => connectionLimit(login, intent, world, model)),
      ...foreignMemberships(intent, world, model),
      ...handed.changes,
    ],
    left: [...parts.flatMap(({ left }) => left), ...lostPassword(intent, before, use), ...handed.left],
  };
}

/** Whom both logins are to be like: the published one; where that has to be made anew, what is left of the pair. */
function modelOf(
  { logins }: Intent,
  { logins: found }: World,
  { published }: Circumstances,
): string | undefined {
  if (published === undefined || found.has(published)) return published;
  return logins.find((login) => found.has(login)) ?? published;
}

function lostPassword({ policy }: Intent, { logins: found }: World, { published }: Circumstances): string[] {
  if (published === undefined || found.has(published)) return [];
  return [
    `${published}, which is published, is made without its password, so whoever reads that is refused until a rotation publishes the other login; begin one at once: keyturn rotate ${policy}`,
  ];
}

/** Whether a login can log in that is only on standby. */
export function isLeftOpen(login: Login | undefined, { published }: Circumstances): boolean {
  return login?.canLogin === true && published !== undefined && login.name !== published;
}

/** The published login logs in, the standby does not; while a rotation is open that is the rotation's business. */
function shutOrOpen(login: Login, use: Use): Drift {
  const { name, canLogin } = login;
  const { published, hasOpenRotation, holders } = use;
  if (published === undefined) return { changes: [], left: [] };
  if (name === published) {
    if (canLogin) return { changes: [], left: [] };
    return { changes: [{ what: `lets ${name}, which is published, log in`, sql: letLogIn(name) }], left: [] };
  }
  if (!isLeftOpen(login, use)) return { changes: [], left: [] };
  if (hasOpenRotation) {
    return { changes: [], left: [`${name} can log in, but a rotation is open: that is its business`] };
  }
  const users = holders.get(name) ?? [];
  if (users.length > 0) {
    return {
      changes: [],
      left: [
        `${name} can log in though ${published} is published, and is in use: ${users.join(', ')}; find out why, end that, and repair again`,
      ],
    };
  }
  const what = `shuts out ${name}, which is on standby`;
  return { changes: [{ what, sql: shutOut(name) }], left: [] };
}

/** One that is over, or that both logins do not have alike. */
function expiry({ name, expired, validUntil }: Login, found: readonly Login[]): Change[] {
  const sql = neverExpire(name);
  if (expired) return [{ what: `takes the expiry off ${name}, which is over`, sql }];
  const isAlike = found.every((login) => login.validUntil?.getTime() === validUntil?.getTime());
  if (validUntil === null || isAlike) return [];
  return [{ what: `takes the expiry of ${validUntil.toISOString()} off ${name}`, sql }];
}

/**
 * A pair that keyturn made has no limit; one of which it found a login has the published one's, which serves the consumers,
 * unless that lets nobody in.
 */
function connectionLimit(
  { name, connectionLimit: limit }: Login,
  { logins: pair }: Intent,
  { logins }: World,
  { made, published }: Circumstances,
): Change[] {
  const limitOf = (login: string) => logins.get(login)?.connectionLimit ?? 0;
  const model = [published ?? name, ...pair].find((login) => limitOf(login) !== 0);
  const wanted = model === undefined || pair.every((login) => made.includes(login)) ? -1 : limitOf(model);
  if (limit === wanted) return [];
  const what =
    wanted === -1
      ? `takes the connection limit of ${limit} off ${name}`
      : `sets the connection limit of ${name} to ${wanted}, like that of ${model}`;
  return [{ what, sql: limitConnections(name, wanted) }];
}

/** Besides the owner, the standby belongs to the roles that the published login belongs to, and to no other. */
function foreignMemberships({ logins, owner }: Intent, world: World, { published }: Circumstances): Change[] {
  const model = published === undefined ? undefined : world.logins.get(published);
  const standby = world.logins.get(logins.find((login) => login !== published) ?? '');
  if (!model || !standby) return [];
  const only = (one: Login, other: Login) =>
    one.memberOf.filter((role) => role !== owner && !other.memberOf.includes(role));
  const options = { options: world.server.version >= WITH_OPTIONS };
  return [
    ...only(model, standby).map((role) => ({
      what: `makes ${standby.name} a member of ${role}, like ${model.name}`,
      sql: grantMembership(role, standby.name, options),
      administers: [role],
    })),
    ...only(standby, model).map((role) => {
      const given = world.memberships.filter((one) => one.role === role && one.member === standby.name);
      return {
        what: `ends the membership of ${standby.name} in ${role}, which ${model.name} does not have`,
        sql: given.map(revokeMembership).join('; '),
        rights: given.flatMap(({ grantor }) => grantor ?? []),
      };
    }),
  ];
}

function ownership(
  { owner, logins }: Intent,
  { database, logins: found }: World,
  owned: readonly OwnedObjects[],
): Drift {
  const here = owned.filter((objects) => objects.database === null || objects.database === database.name);
  const elsewhere = owned.filter((objects) => !here.includes(objects));
  if (owner === undefined) {
    return {
      changes: [],
      left: owned.map(
        ({ role, count }) =>
          `${role} itself owns ${counted(count, 'object')}, which the other login may not alter; give the policy an owner, and repair again`,
      ),
    };
  }
  return {
    changes: logins
      .filter((login) => found.has(login) && here.some(({ role }) => role === login))
      .map((login) => {
        const objects = here.filter(({ role }) => role === login);
        const count = objects.reduce((sum, one) => sum + one.count, 0);
        const examples = objects.flatMap((one) => one.examples).join(', ');
        return {
          what: `hands ${counted(count, 'object')} of ${login} (${examples}${examples && count > 3 ? ', …' : ''}) to ${owner}`,
          sql: reassignOwned(login, owner),
          rights: [login, owner],
        };
      }),
    left: elsewhere.map(
      ({ role, database: name, count }) =>
        `${role} itself owns ${counted(count, 'object')} in database ${name}; run there: ${reassignOwned(role, owner)}`,
    ),
  };
}

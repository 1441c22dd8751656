import { type Fact, fact } from '../../facts/fact.ts';
import { command } from '../../facts/remedy.ts';
import type { SeenUse } from '../../facts/rotation/use-facts.ts';
import type { Login } from '../../postgres/logins/login.ts';
import type { OwnedObjects } from '../../postgres/logins/owned-objects.ts';
import type { Change } from '../../postgres/roles/change.ts';
import { letLogIn, shutOut } from '../../postgres/roles/role-statements.ts';
import { isUsed } from '../all-uses-of.ts';
import type { Intent } from '../intent.ts';
import { connectionLimit, expiry } from './attribute-drift.ts';
import type { CurrentRoles } from './current-roles.ts';
import { foreignMemberships } from './membership-drift.ts';
import { ownership } from './ownership-drift.ts';
import type { RepairContext } from './repair-context.ts';
import { withMissingLogins } from './with-missing-logins.ts';

/** How the logins are used. */
export interface LoginUsage {
  /** Who uses each login of which {@link isLeftOpen}. */
  readonly uses: readonly SeenUse[];
  /** What belongs to the logins themselves, in every database. */
  readonly owned: readonly OwnedObjects[];
}

/** What has drifted: what puts it back, and what is left, with the reason. */
export interface Drift {
  readonly changes: readonly Change[];
  readonly left: readonly Fact[];
}

const NO_DRIFT: Drift = { changes: [], left: [] };

/** Puts back what makes the logins fit to take turns, apart from what creating them does. */
export function driftOf(
  intent: Intent,
  before: CurrentRoles,
  context: RepairContext,
  { uses, owned }: LoginUsage,
): Drift {
  const current = withMissingLogins(intent, before);
  const logins = intent.logins.flatMap((name) => current.logins.get(name) ?? []);
  const drifts = logins.map((login) => loginDrift(login, context, uses));
  const like = { ...context, published: modelOf(intent, before, context) };
  const handedOver = ownership(intent, current, owned);
  return {
    changes: [
      ...drifts.flatMap(({ changes }) => changes),
      ...logins.flatMap((login) => expiry(login, logins)),
      ...logins.flatMap((login) => connectionLimit(login, intent, current, like)),
      ...foreignMemberships(intent, current, like),
      ...handedOver.changes,
    ],
    left: [
      ...drifts.flatMap(({ left }) => left),
      ...lostPassword(intent, before, context),
      ...handedOver.left,
    ],
  };
}

/**
 * The login that the other is made like: the published one, or where that has to be created again,
 * the other one.
 */
function modelOf(
  { logins }: Intent,
  { logins: found }: CurrentRoles,
  { published }: RepairContext,
): string | undefined {
  if (published === undefined || found.has(published)) return published;
  return logins.find((login) => found.has(login)) ?? published;
}

function lostPassword(
  { policy }: Intent,
  { logins: found }: CurrentRoles,
  { published }: RepairContext,
): Fact[] {
  if (published === undefined || found.has(published)) return [];
  return [fact('published-login-recreated', { login: published, policy }, command('rotate', policy))];
}

/** Whether a login can log in that is only on standby. */
export function isLeftOpen(login: Login | undefined, { published }: RepairContext): boolean {
  return login?.canLogin === true && published !== undefined && login.name !== published;
}

/** The published login logs in, the standby does not. While a rotation is open, both may. */
function loginDrift(login: Login, context: RepairContext, uses: readonly SeenUse[]): Drift {
  const { name, canLogin } = login;
  const { published, hasOpenRotation } = context;
  if (published === undefined) return NO_DRIFT;
  if (name === published) {
    if (canLogin) return NO_DRIFT;
    return { changes: [{ does: fact('enable-login', { login: name }), sql: letLogIn(name) }], left: [] };
  }
  if (!isLeftOpen(login, context)) return NO_DRIFT;
  if (hasOpenRotation) return { changes: [], left: [fact('standby-left-to-rotation', { login: name })] };
  const use = uses.find((each) => each.login === name);
  if (use && isUsed(use)) return { changes: [], left: [fact('standby-in-use', { ...use, published })] };
  return { changes: [{ does: fact('disable-login', { login: name }), sql: shutOut(name) }], left: [] };
}

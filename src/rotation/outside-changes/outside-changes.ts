import type { Publication } from '../../ledger/last-published.ts';
import { superseded } from '../../ledger/superseded.ts';
import type { Version } from '../../secret-store/secret-store.ts';
import { holds, type OpenDestination, type RotationContext } from '../context/rotation-context.ts';
import { proveLogin } from '../proof/prove-login.ts';
import { Refusal } from '../refusal.ts';
import { isRefused } from '../server-fault.ts';
import { otherPendingParts } from './pending-parts.ts';
import { rotatorOutsideChange } from './rotator-outside-change.ts';

/** Something in the stores that keyturn did not do. */
export interface OutsideChange {
  readonly found: string;
  /** What somebody can do about it, other than adopt it; null: a rotation goes on anyway. */
  readonly instead: string | null;
  /** What a rotation does about it, once it goes on. */
  readonly effect: string;
}

/**
 * What was changed in the stores since this ledger last published there. Changes nothing.
 *
 * | what is found                                            | a rotation               | with --adopt                |
 * | -------------------------------------------------------- | ------------------------ | --------------------------- |
 * | pending: a version that this ledger did not stage        | stops                    | discards it                 |
 * | pending: staged by a rotation of this ledger that is open| stops                    | stops                       |
 * | current: its username is neither login                   | stops                    | as a first one, by sessions |
 * | current: another version or altered, and it logs in      | goes on, with a warning  | the same                    |
 * | current: another version or altered, and it is refused   | stops                    | to the other login          |
 * | current: none, though this ledger published one          | stops                    | as a first one, by sessions |
 * | a secret that does not exist, without `create`           | stops                    | stops                       |
 * | an AWS secret that is marked for deletion                | stops: `restore-secret`  | stops                       |
 * | another destination: any of these under current          | replaces it, and warns   | the same                    |
 *
 * Adopting gives up none of what protects consumers: a login with sessions, or one that any destination publishes,
 * does not come in. Where this ledger has published nothing yet, the credential in the secret is what it starts from.
 * Of a rotator's policy see rotator-outside-change.ts; the last two lines and those of `pending` hold for it, too.
 */
export async function outsideChanges(context: RotationContext): Promise<readonly OutsideChange[]> {
  const [primary, ...others] = context.destinations;
  // It was judged before this rotation staged anything; since then what differs is its own doing.
  if ((await holds(context, primary, 'pending')) || (await holds(context, primary, 'current'))) return [];
  const last = await context.ledger.lastPublished(context.policy.name);
  if (last?.rotation === context.rotation.id) throw superseded(last.rotation);
  const changes = [await changeOfPrimary(context, primary, last)];
  for (const other of others) changes.push(await changeOfOther(context, other, last));
  for (const each of context.destinations) changes.push(await foreignPending(context, each));
  return changes.filter((change) => change !== undefined);
}

/**
 * Whether a rotation stops, unless it adopts, at what the primary publishes. Of a rotation that is open, too: whether
 * the next one would, once that has ended.
 */
export async function mustAdopt(context: RotationContext): Promise<boolean> {
  const last = await context.ledger.lastPublished(context.policy.name);
  const change = await changeOfPrimary(context, context.destinations[0], last);
  return change !== undefined && change.instead !== null;
}

async function changeOfPrimary(
  context: RotationContext,
  primary: OpenDestination,
  last: Publication | undefined,
): Promise<OutsideChange | undefined> {
  const { logins, type } = context.policy;
  if (type === 'rotator') return rotatorOutsideChange(context, primary, last);
  const current = await context.read(primary, 'current');
  if (!current) {
    return (
      last && {
        found: `${primary.name} publishes nothing, though ${told(last)}; the secret was deleted or emptied, or the policy names another`,
        instead: 'put the credential in use back',
        effect: AS_A_FIRST,
      }
    );
  }
  const { username } = current.fields;
  if (username === undefined || !logins.includes(username)) {
    const name = username === undefined ? 'missing' : JSON.stringify(username);
    return {
      found: `The published username is ${name}, which is neither ${logins.join(' nor ')}`,
      instead: "correct the secret or the policy's logins",
      effect: username === undefined ? AS_A_FIRST : `${AS_A_FIRST}, and revokes nothing of ${name}`,
    };
  }
  if (!last || (isAsPublished(current, last) && current.fields.password !== undefined)) return undefined;
  const found = `${primary.name} was changed outside keyturn since ${told(last)}`;
  const refused = await refusal(context, current);
  if (refused === undefined) {
    return {
      found,
      instead: null,
      effect: `what it publishes of ${username} logs in, so that counts`,
    };
  }
  return {
    found: `${found}, and consumers that read it are refused now: ${refused}`,
    instead: `put the password of ${username} right`,
    effect: `gives ${logins.find((login) => login !== username)} a new password and publishes that, whatever the secret says of ${username}`,
  };
}

const AS_A_FIRST = 'starts as a first rotation does, with the login that has no sessions';

function isAsPublished({ token, edited }: Version, { tokens }: Publication): boolean {
  return token !== undefined && tokens.includes(token) && !edited;
}

function told({ rotation, finishedAt }: Publication): string {
  return `rotation ${rotation} published there and ended on ${finishedAt.toISOString()}`;
}

/** Why the published credential does not log in; undefined when it does. */
async function refusal(
  context: RotationContext,
  { fields: { username, password } }: Version,
): Promise<string | undefined> {
  if (username === undefined || password === undefined) return 'it has no password';
  try {
    await using _session = await proveLogin(context, { credential: { username, password } });
    return undefined;
  } catch (error) {
    if (isRefused(error)) return (error as Error).message;
    throw error;
  }
}

/** The primary decides who comes in, so what another destination publishes is only told of. */
async function changeOfOther(
  context: RotationContext,
  destination: OpenDestination,
  last: Publication | undefined,
): Promise<OutsideChange | undefined> {
  const current = await context.read(destination, 'current');
  if (!last || (current && (isAsPublished(current, last) || current.token === context.rotation.id))) {
    return undefined;
  }
  if (!current) {
    return {
      found: `${destination.name} publishes nothing`,
      instead: null,
      effect: 'this rotation fills it',
    };
  }
  const found = `${destination.name} publishes what keyturn did not put there`;
  return { found, instead: null, effect: 'this rotation replaces it' };
}

async function foreignPending(
  context: RotationContext,
  destination: OpenDestination,
): Promise<OutsideChange | undefined> {
  const parts = await otherPendingParts(context, destination);
  const foreign: string[] = [];
  for (const token of new Set(parts.map((part) => part.token))) {
    const owner = await context.ledger.find(token);
    if (owner?.status === 'open') {
      throw new Refusal(
        `${destination.name} has a version pending that rotation ${token} of ${owner.policy} staged, which is open; see: keyturn status ${owner.policy}`,
      );
    }
    // What an earlier rotation of ours could not take back while its store was down is ours to take back now.
    if (owner?.policy !== context.policy.name) foreign.push(token);
  }
  if (foreign.length === 0) return undefined;
  return {
    found: `${destination.name} has a pending version ${foreign.join(' and ')} that this ledger does not know`,
    instead: 'find out whether another rotation is under way there',
    effect: 'discards it, and with it what another ledger may be rotating there',
  };
}

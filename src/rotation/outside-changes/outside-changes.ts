import { type Fact, fact } from '../../facts/fact.ts';
import { factOf, fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import type { Publication } from '../../ledger/last-published.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { superseded } from '../../ledger/superseded.ts';
import type { Version } from '../../secret-store/secret-store.ts';
import { isStaged } from '../context/holds.ts';
import type { OpenDestination, PolicyView } from '../context/policy-view.ts';
import { hasBegun, type Preview } from '../context/rotation-view.ts';
import { proveLogin } from '../proof/prove-login.ts';
import { isRefused } from '../server-fault.ts';
import { otherPendingParts } from './pending-parts.ts';
import { rotatorOutsideChange } from './rotator-outside-change.ts';

/** Something in the stores that keyturn did not do. */
export interface OutsideChange {
  readonly found: Fact;
  /** Whether a rotation stops at it, unless it adopts it. */
  readonly stops: boolean;
  /** What a rotation does about it, once it goes on. */
  readonly effect: Fact;
}

/**
 * A change that a rotation goes on with, as one fact; it was adopted where a rotation would stop
 * otherwise.
 */
export function outsideChangeFact({ found, effect, stops }: OutsideChange): Fact {
  return fact('outside-change', { found, effect, adopted: stops });
}

/**
 * What was changed in the stores since this ledger last published there. Changes nothing.
 *
 * | what is found                               | a rotation              | with `--adopt`     |
 * | ------------------------------------------- | ----------------------- | ------------------ |
 * | pending: this ledger did not stage it       | stops                   | discards it        |
 * | pending: an open rotation of ours staged it | stops                   | stops              |
 * | current: its username is neither login      | stops                   | like a first one   |
 * | current: changed, and it logs in            | goes on, with a warning | the same           |
 * | current: changed, and it is refused         | stops                   | to the other login |
 * | current: none, though we published one      | stops                   | like a first one   |
 * | a secret that is missing, without `create`  | stops                   | stops              |
 * | an AWS secret marked for deletion           | stops: `restore-secret` | stops              |
 * | another destination: changed or none        | replaces it, and warns  | the same           |
 *
 * "Changed" is another version than this ledger published last, or one that was edited. "Like a
 * first one": with the login that has no sessions. Adopting gives up nothing that protects
 * consumers: a login with sessions, or one that any destination publishes, does not come in. Where
 * this ledger has published nothing yet, the credential in the secret is what it starts from. For
 * rotator policies see rotator-outside-change.ts; the last two rows and those of `pending` hold for
 * them, too.
 */
export async function outsideChanges(preview: Preview): Promise<readonly OutsideChange[]> {
  const [primary, ...others] = preview.destinations;
  // It was judged before this rotation staged anything; since then what differs is its own doing.
  if (hasBegun(preview) && (await isStaged(preview, primary))) return [];
  const last = await preview.ledger.lastPublished(preview.policy.name);
  if (last && last.rotation === preview.rotation?.id) throw superseded(last.rotation);
  const changes = [await changeOfPrimary(preview, primary, last)];
  for (const other of others) changes.push(await changeOfOther(preview, other, last));
  for (const each of preview.destinations) changes.push(await foreignPending(preview, each));
  return changes.filter((change) => change !== undefined);
}

/**
 * Whether a rotation stops, unless it adopts, at what the primary publishes. While a rotation is
 * open: whether the next one would.
 */
export async function mustAdopt(view: PolicyView, ledger: Ledger): Promise<boolean> {
  const last = await ledger.lastPublished(view.policy.name);
  const change = await changeOfPrimary(view, view.destinations[0], last);
  return change?.stops === true;
}

async function changeOfPrimary(
  preview: PolicyView,
  primary: OpenDestination,
  last: Publication | undefined,
): Promise<OutsideChange | undefined> {
  const { logins, type } = preview.policy;
  if (type === 'rotator') return rotatorOutsideChange(preview, primary, last);
  const current = await preview.read(primary, 'current');
  const { name: destination } = primary;
  if (!current) {
    return last && stop(fact('primary-emptied', { destination, last: publicationOf(last) }), asFirst(null));
  }
  const { username } = current.fields;
  if (username === undefined || !logins.includes(username)) {
    const unknown = username ?? null;
    return stop(fact('published-username-unknown', { username: unknown, logins }), asFirst(unknown));
  }
  if (!last || (isAsPublished(current, last) && current.fields.password !== undefined)) return undefined;
  const changed = { destination, last: publicationOf(last) };
  const refusal = await refusalOf(preview, primary, current);
  if (refusal === undefined) {
    return goOn(fact('primary-changed', changed), fact('effect-counts', { login: username }));
  }
  const incoming = logins.find((login) => login !== username) ?? '';
  return stop(
    fact('primary-changed-and-refused', { ...changed, login: username, refusal }),
    fact('effect-other-login', { incoming, outgoing: username }),
  );
}

function stop(found: Fact, effect: Fact): OutsideChange {
  return { found, effect, stops: true };
}

function goOn(found: Fact, effect: Fact): OutsideChange {
  return { found, effect, stops: false };
}

function asFirst(unrevoked: string | null): Fact {
  return fact('effect-as-first-rotation', { unrevoked });
}

function isAsPublished({ token, edited }: Version, { tokens }: Publication): boolean {
  return token !== undefined && tokens.includes(token) && !edited;
}

function publicationOf({ rotation, finishedAt }: Publication) {
  return { rotation, endedAt: finishedAt.toISOString() };
}

/** Why the published credential does not log in; undefined when it does. */
async function refusalOf(
  preview: PolicyView,
  { name }: OpenDestination,
  { fields: { username, password } }: Version,
): Promise<Fact | undefined> {
  if (username === undefined || password === undefined) {
    return fact('published-without-password', { destination: name });
  }
  try {
    await using _session = await proveLogin(preview, { credential: { username, password } });
    return undefined;
  } catch (error) {
    if (isRefused(error)) return factOf(error);
    throw error;
  }
}

/** The primary decides who comes in, so a change of another destination stops nothing. */
async function changeOfOther(
  preview: Preview,
  destination: OpenDestination,
  last: Publication | undefined,
): Promise<OutsideChange | undefined> {
  const current = await preview.read(destination, 'current');
  if (!last) return undefined;
  const isOwn = current?.token !== undefined && current.token === preview.rotation?.id;
  if (current && (isOwn || isAsPublished(current, last))) return undefined;
  const which = { destination: destination.name };
  return current
    ? goOn(fact('destination-changed', which), fact('effect-replaces', {}))
    : goOn(fact('destination-empty', which), fact('effect-fills', {}));
}

async function foreignPending(
  preview: Preview,
  destination: OpenDestination,
): Promise<OutsideChange | undefined> {
  const parts = await otherPendingParts(preview, destination);
  const { name } = destination;
  const foreign: string[] = [];
  for (const token of new Set(parts.map((part) => part.token))) {
    const owner = await preview.ledger.find(token);
    if (owner?.status === 'open') {
      const { policy } = owner;
      throw fault(
        'pending-version-of-open-rotation',
        { destination: name, rotation: token, policy },
        { remedies: [command('status', policy)] },
      );
    }
    // What an earlier rotation of ours could not take back while its store was down is ours to take
    // back now.
    if (owner?.policy !== preview.policy.name) foreign.push(token);
  }
  if (foreign.length === 0) return undefined;
  const pending = fact('pending-version-unknown', { destination: name, tokens: foreign });
  return stop(pending, fact('effect-discards-pending', {}));
}

import { type Fact, fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { command } from '../../facts/remedy.ts';
import { usernameIn } from '../../formats/told-by.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Publication } from '../../ledger/publications/last-published.ts';
import { isRotationId } from '../../ledger/read-rotations.ts';
import { superseded } from '../../ledger/superseded.ts';
import { isStaged } from '../context/holds.ts';
import type { OpenDestination, PolicyView } from '../context/policy-view.ts';
import { hasBegun, type Preview } from '../context/rotation-view.ts';
import { otherPendingParts } from './pending-parts.ts';
import { isAsPublished, primaryOutsideChange } from './primary-outside-change.ts';
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
 * | current: of an older rotation of ours       | goes on, with a warning | the same           |
 * | current: unknown, and the other is in use   | stops                   | goes on with that  |
 * | pending: unknown, and published elsewhere   | stops                   | goes on with that  |
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
  const changes = [await changeOfPrimary(preview, primary, { last, ledger: preview.ledger })];
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
  const change = await changeOfPrimary(view, view.destinations[0], { last, ledger });
  return change?.stops === true;
}

async function changeOfPrimary(
  view: PolicyView,
  primary: OpenDestination,
  known: { readonly last: Publication | undefined; readonly ledger: Ledger },
): Promise<OutsideChange | undefined> {
  return view.policy.type === 'rotator'
    ? rotatorOutsideChange(view, primary, known.last)
    : primaryOutsideChange(view, primary, known);
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
  return {
    stops: false,
    ...(current
      ? { found: fact('destination-changed', which), effect: fact('effect-replaces', {}) }
      : { found: fact('destination-empty', which), effect: fact('effect-fills', {}) }),
  };
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
  const found = fact('pending-version-unknown', { destination: name, tokens: foreign });
  const effect = (await halfPublished(preview, foreign)) ?? fact('effect-discards-pending', {});
  return { found, effect, stops: true };
}

/**
 * A pending version that another destination publishes already is not discarded: its promotion was
 * under way when the ledger was lost, and goes on.
 */
async function halfPublished(preview: Preview, pending: readonly string[]): Promise<Fact | undefined> {
  const [token, ...others] = pending;
  const { type, logins } = preview.policy;
  if (token === undefined || others.length > 0 || type === 'rotator' || !isRotationId(token))
    return undefined;
  for (const destination of preview.destinations) {
    const current = await preview.read(destination, 'current');
    const incoming = current?.token === token ? usernameIn(current.fields) : undefined;
    const outgoing = logins.find((login) => login !== incoming);
    if (incoming === undefined || outgoing === undefined || !logins.includes(incoming)) continue;
    return fact('effect-goes-on', { rotation: token, outgoing });
  }
  return undefined;
}

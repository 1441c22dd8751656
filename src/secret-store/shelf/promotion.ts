import { fault } from '../../facts/fault.ts';
import { inParallel } from '../in-parallel.ts';
import type { Stage } from '../secret-store.ts';
import type { Backend, Unit } from './backend.ts';
import { contentsOf } from './contents.ts';
import { keepSeen } from './keep-seen.ts';
import type { Look, Looking } from './looking.ts';
import { isShown, isUnrecorded, seenToken, sharedToken } from './seen-token.ts';
import { isAt, isWhole, promoted, type Shelf, type ShelfVersion, withVersion } from './shelf.ts';

interface Places {
  /** The name that faults give. */
  readonly store: string;
  readonly backend: Backend;
  readonly looking: Looking;
}

interface Promotion {
  readonly token: string;
  /** The stages from which the version may become current. */
  readonly stages: readonly Stage[];
}

/** What is to be promoted, after a first look at all units. */
interface Begun extends Promotion {
  /** What consumers saw in all of them. */
  readonly before: string | undefined;
}

/**
 * Makes a version current in every unit. All are judged before anything changes. Then each is
 * copied to where consumers read, as close together as the store lets them, and at the end that is
 * recorded on the shelves. A kill before the end leaves the version `pending` on the shelf, so that
 * whoever comes next goes on.
 */
export async function promoteUnits(
  places: Places,
  looks: readonly Look[],
  promotion: Promotion,
): Promise<void> {
  const wanted: Begun = { ...promotion, before: sharedToken(looks) };
  for (const look of looks) requirePromotable(places.store, look, wanted);
  const ready = await inParallel(looks, (look) => keepBefore(places, look, wanted));
  const versions = await inParallel(ready, (look) => show(places, look, wanted));
  const units = looks.map(({ unit }) => unit);
  await places.backend.whenShown?.(units, wanted.token);
  await recordAll(places, versions, wanted.token);
}

/** The version, if it may be promoted. */
function requirePromotable(store: string, look: Look, { token, stages, before }: Begun): ShelfVersion {
  const { unit, shown, shelf } = look;
  const version = shelf.versions[token];
  const isReady =
    isAt(shelf, token, ...stages) ||
    isUnrecorded(token, shown, shelf) ||
    seenToken(shown, shelf, before) === token;
  if (version !== undefined && isReady && isWhole(unit, version)) return version;
  throw fault('version-not-promotable', { store, secret: unit.name, token });
}

/** Puts what consumers see on the shelf as `current`, so that it can become previous. */
async function keepBefore({ looking }: Places, look: Look, { token, before }: Begun): Promise<Look> {
  const { unit } = look;
  // What consumers saw before says nothing of a unit that others have changed since.
  const decide = (now: Look) => kept(now, token, now === look ? before : undefined);
  if (decide(look) === undefined) return look;
  await looking.change(unit, decide, look);
  return looking.look(unit);
}

function kept(look: Look, token: string, before: string | undefined): Shelf | undefined {
  const { shown, shelf } = look;
  if (isUnrecorded(token, shown, shelf)) return undefined;
  if (shelf.current === token && isShown(shelf.versions[token], shown)) return undefined;
  const seen = seenToken(shown, shelf, before);
  if (seen === token) return undefined;
  const next = keepSeen(look, seen);
  // Otherwise it would be at no stage until it is shown again.
  return next !== undefined && shelf.current === token ? { ...next, pending: token } : next;
}

async function show(places: Places, ready: Look, wanted: Begun): Promise<Promoted> {
  const { unit } = ready;
  let look = ready;
  for (let attempt = 1; ; attempt += 1) {
    const version = requirePromotable(places.store, look, wanted);
    const { shown } = look;
    if (isShown(version, shown)) return { unit, version };
    if (await places.backend.writeShown(unit, contentsOf(version, shown), shown)) return { unit, version };
    await places.looking.pause(unit, attempt);
    look = await keepBefore(places, await places.looking.look(unit), { ...wanted, before: undefined });
  }
}

interface Promoted {
  readonly unit: Unit;
  readonly version: ShelfVersion;
}

/**
 * Records the promotion, unless a unit shows something else by now: others went on, and a unit
 * whose value stays as it was would not tell.
 */
async function recordAll({ looking }: Places, promotions: readonly Promoted[], token: string): Promise<void> {
  const looks = await inParallel(promotions, async ({ unit, version }) => ({
    look: await looking.look(unit),
    version,
  }));
  if (!looks.every(({ look, version }) => isShown(version, look.shown))) return;
  await inParallel(looks, ({ look, version }) =>
    looking.change(look.unit, (now) => recorded(now, look.shelf.current, token, version), look),
  );
}

/** The shelf after the promotion; undefined where it is so already, or others went on since. */
function recorded(
  { shown, shelf }: Look,
  before: string | undefined,
  token: string,
  version: ShelfVersion,
): Shelf | undefined {
  if (!isShown(version, shown) || (shelf.current !== before && shelf.current !== token)) return undefined;
  if (shelf.current === token && shelf.pending !== token) return undefined;
  const whole = Object.hasOwn(shelf.versions, token) ? shelf : withVersion(shelf, token, version);
  return promoted(whole, token);
}

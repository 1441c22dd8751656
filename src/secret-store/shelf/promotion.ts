import { randomUUID } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import { fault } from '../../facts/fault.ts';
import { inParallel } from '../in-parallel.ts';
import type { Stage } from '../secret-store.ts';
import type { Backend, Unit } from './backend.ts';
import { contentsOf } from './contents.ts';
import type { Look, Looking } from './looking.ts';
import { seenToken, shownFields } from './seen-token.ts';
import { isAt, isWhole, promoted, type Shelf, type ShelfVersion, versionOf, withVersion } from './shelf.ts';

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

/**
 * Makes a version current in every unit. All are judged before anything changes. Then each is
 * copied to where consumers read, as close together as the store lets them, and at the end that is
 * recorded on the shelves. A kill before the end leaves the version `pending` on the shelf, so that
 * whoever comes next goes on.
 */
export async function promoteUnits(places: Places, looks: readonly Look[], wanted: Promotion): Promise<void> {
  for (const look of looks) requirePromotable(places.store, look, wanted);
  const ready = await inParallel(looks, (look) => keepBefore(places, look, wanted.token));
  const versions = await inParallel(ready, (look) => show(places, look, wanted));
  const units = looks.map(({ unit }) => unit);
  await places.backend.whenShown?.(units, wanted.token);
  await inParallel(versions, ({ unit, version }) =>
    places.looking.change(unit, (look) => record(look, wanted.token, version)),
  );
}

/** The version, if it may be promoted. */
function requirePromotable(store: string, look: Look, { token, stages }: Promotion): ShelfVersion {
  const { unit, shown, shelf } = look;
  const version = shelf.versions[token];
  const isReady = isAt(shelf, token, ...stages) || seenToken(shown, shelf) === token;
  if (version !== undefined && isReady && isWhole(unit, version)) return version;
  throw fault('version-not-promotable', { store, secret: unit.name, token });
}

/** Puts what consumers see on the shelf as `current`, so that it can become previous. */
async function keepBefore({ looking }: Places, look: Look, token: string): Promise<Look> {
  const { unit } = look;
  const decide = (now: Look) => kept(now, token);
  if (decide(look) === undefined) return look;
  await looking.change(unit, decide, look);
  return looking.look(unit);
}

function kept({ unit, shown, shelf }: Look, token: string): Shelf | undefined {
  const seen = seenToken(shown, shelf);
  if (seen === token) return undefined;
  if (seen !== undefined) return shelf.current === seen ? undefined : { ...shelf, current: seen };
  // Somebody gave consumers something else, or nothing.
  const { current, ...rest } = shelf;
  const fields = shownFields(unit, shown);
  if (Object.keys(fields).length === 0) return current === undefined ? undefined : rest;
  const byHand = randomUUID();
  const version = versionOf(unit, fields, new Date(systemClock.now()));
  return withVersion({ ...rest, current: byHand }, byHand, version);
}

async function show(
  places: Places,
  ready: Look,
  wanted: Promotion,
): Promise<{ readonly unit: Unit; readonly version: ShelfVersion }> {
  const { unit } = ready;
  let look = ready;
  for (let attempt = 1; ; attempt += 1) {
    const version = requirePromotable(places.store, look, wanted);
    const { shown, shelf } = look;
    if (seenToken(shown, shelf) === wanted.token) return { unit, version };
    if (await places.backend.writeShown(unit, contentsOf(version, shown), shown)) return { unit, version };
    await places.looking.pause(unit, attempt);
    look = await keepBefore(places, await places.looking.look(unit), wanted.token);
  }
}

/** The shelf after the promotion; undefined where it is so already, or others went on since. */
function record(look: Look, token: string, version: ShelfVersion): Shelf | undefined {
  const { shown, shelf } = look;
  const whole = Object.hasOwn(shelf.versions, token) ? shelf : withVersion(shelf, token, version);
  if (seenToken(shown, whole) !== token) return undefined;
  return shelf.current === token && shelf.pending !== token ? undefined : promoted(whole, token);
}

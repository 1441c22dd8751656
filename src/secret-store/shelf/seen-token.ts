import { isFault } from '../../facts/fault.ts';
import { readContent } from '../secret-content.ts';
import type { Fields } from '../secret-store.ts';
import type { Shown, Unit } from './backend.ts';
import type { Shelf, ShelfVersion } from './shelf.ts';

/** The mapped fields that consumers see. */
export function shownFields(unit: Unit, shown: Shown | undefined): Fields {
  if (shown === undefined) return {};
  const found = [...unit.secrets].map(([secret, entries]) => {
    const keyed = entries.some(({ key }) => key !== undefined);
    return readContent(secret, entries, shown.contentOf(secret, keyed) ?? '');
  });
  return Object.assign({}, ...found);
}

/**
 * The versions whose values consumers see, which are several where a rotation leaves a value as it
 * was. A label beside them could lie after a kill, or after somebody edited the secret. None for
 * what keyturn did not write. The likeliest is the first.
 */
export function shownTokens(shown: Shown | undefined, shelf: Shelf): readonly string[] {
  if (shown === undefined) return [];
  const { current, pending, previous, versions } = shelf;
  const first = [current, pending, previous].filter((token) => token !== undefined);
  const ordered = new Set([...first, ...Object.keys(versions)]);
  return [...ordered].filter((token) => isShown(versions[token], shown));
}

/** Of the versions that consumers see, `wanted` if it is one, else the likeliest. */
export function seenToken(
  shown: Shown | undefined,
  shelf: Shelf,
  wanted: string | undefined,
): string | undefined {
  const tokens = shownTokens(shown, shelf);
  return tokens.find((token) => token === wanted) ?? tokens[0];
}

interface Place {
  readonly unit: Unit;
  readonly shown: Shown | undefined;
  readonly shelf: Shelf;
}

/**
 * The version that consumers see in every unit that has a value; undefined where there is none.
 * One unit with a password of its own tells the version of those whose values stay as they were.
 */
export function sharedToken(places: readonly Place[]): string | undefined {
  const found = places
    .filter(({ unit, shown }) => Object.keys(shownFields(unit, shown)).length > 0)
    .map(({ shown, shelf }) => shownTokens(shown, shelf));
  return found[0]?.find((token) => found.every((tokens) => tokens.includes(token)));
}

/**
 * Whether consumers see a version because it was promoted, though that is not recorded yet. Staging
 * has seen to it that what they saw before is `current`, if it has the same values.
 */
export function isUnrecorded(token: string, shown: Shown | undefined, shelf: Shelf): boolean {
  const { current = '', versions } = shelf;
  return current !== token && isShown(versions[token], shown) && !isShown(versions[current], shown);
}

/** Whether consumers see the values of a version. */
export function isShown(version: ShelfVersion | undefined, shown: Shown | undefined): boolean {
  if (version === undefined || shown === undefined) return false;
  const entries = Object.entries(version.secrets);
  return entries.length > 0 && entries.every(([secret, items]) => areShown(secret, items, shown));
}

function areShown(secret: string, items: ShelfVersion['secrets'][string], shown: Shown): boolean {
  const entries = items.map(({ field, key }) => ({ field, key }));
  const keyed = entries.some(({ key }) => key !== undefined);
  try {
    const found = readContent(secret, entries, shown.contentOf(secret, keyed) ?? '');
    return items.every(({ field, value }) => found[field] === value);
  } catch (error) {
    if (isFault(error, 'secret-not-json')) return false;
    throw error;
  }
}

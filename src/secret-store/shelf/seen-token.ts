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
 * Which version consumers see: the one whose values they are. A label beside them could lie after a
 * kill, or after somebody edited the secret. Undefined for what keyturn did not write.
 */
export function seenToken(shown: Shown | undefined, shelf: Shelf): string | undefined {
  if (shown === undefined) return undefined;
  const { current, pending, previous, versions } = shelf;
  const first = [current, pending, previous].filter((token) => token !== undefined);
  return [...new Set([...first, ...Object.keys(versions)])].find((token) => {
    const version = versions[token];
    return version !== undefined && isShown(version, shown);
  });
}

function isShown({ secrets }: ShelfVersion, shown: Shown): boolean {
  const entries = Object.entries(secrets);
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

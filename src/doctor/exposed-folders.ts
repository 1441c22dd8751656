import { isDeepStrictEqual } from 'node:util';
import { type Fact, fact } from '../facts/fact.ts';
import type { OpenDestination } from '../rotation/context/rotation-context.ts';

/**
 * What to warn of when a worker starts: folders of stores that are more open than they need to be,
 * once each.
 */
export async function exposedFolders(
  destinations: Iterable<OpenDestination>,
): Promise<Fact<'folder-exposed'>[]> {
  const found: Fact<'folder-exposed'>[] = [];
  for (const destination of destinations) {
    for (const exposure of await exposuresOf(destination)) {
      if (!found.some((other) => isDeepStrictEqual(other, exposure))) found.push(exposure);
    }
  }
  return found;
}

/**
 * Folders of one destination. A store that cannot be looked at has none: whoever uses it next gets
 * the fault.
 */
export async function exposuresOf({
  name,
  store,
  secrets,
}: OpenDestination): Promise<Fact<'folder-exposed'>[]> {
  const exposures = (await store.exposures?.(secrets).catch(() => [])) ?? [];
  // TODO: the facts themselves, once stores have them.
  return exposures.map(({ path, mode, to, may }) =>
    fact('folder-exposed', { store: name, path, mode: mode.toString(8).padStart(4, '0'), to, may }),
  );
}

import type { OpenDestination } from '../rotation/context/rotation-context.ts';
import { describeExposure } from '../secret-store/describe-exposure.ts';

/** What to warn of when a worker starts: folders of stores that are more open than they need to be, once each. */
export async function exposedFolders(destinations: Iterable<OpenDestination>): Promise<string[]> {
  const warnings = new Set<string>();
  for (const { name, store, secrets } of destinations) {
    // A store that cannot be looked at is told by the first rotation that needs it.
    for (const exposure of (await store.exposures?.(secrets).catch(() => [])) ?? []) {
      const { text, remedy } = describeExposure(exposure);
      warnings.add(`the store ${name}: ${text}; ${remedy}`);
    }
  }
  return [...warnings];
}

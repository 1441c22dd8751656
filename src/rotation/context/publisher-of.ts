import { usernameIn } from '../../formats/told-by.ts';
import type { OpenDestination, PolicyView } from './policy-view.ts';

/** The first destination that publishes a login. Altering that login would lock its readers out. */
export async function publisherOf(view: PolicyView, login: string): Promise<OpenDestination | undefined> {
  for (const destination of view.destinations) {
    const current = await view.read(destination, 'current');
    if (usernameIn(current?.fields ?? {}) === login) return destination;
  }
  return undefined;
}

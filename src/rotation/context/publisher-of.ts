import type { OpenDestination, PolicyView } from './rotation-context.ts';

/** The first destination that publishes a login. Altering that login would lock its readers out. */
export async function publisherOf(context: PolicyView, login: string): Promise<OpenDestination | undefined> {
  for (const destination of context.destinations) {
    const current = await context.read(destination, 'current');
    if (current?.fields.username === login) return destination;
  }
  return undefined;
}

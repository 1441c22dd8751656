import { type LoginUse, NOBODY } from './sessions.ts';

/** Adds up who uses logins on several servers. */
export function mergeUses(servers: readonly ReadonlyMap<string, LoginUse>[]): Map<string, LoginUse> {
  const merged = new Map<string, LoginUse>();
  for (const [login, use] of servers.flatMap((uses) => [...uses])) {
    const { sessions, prepared } = merged.get(login) ?? NOBODY;
    merged.set(login, {
      sessions: [...sessions, ...use.sessions],
      prepared: [...prepared, ...use.prepared],
    });
  }
  return merged;
}

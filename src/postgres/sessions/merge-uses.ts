import { type LoginUse, NOBODY } from './sessions.ts';

/** Who uses logins on several servers, as though they were one. */
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

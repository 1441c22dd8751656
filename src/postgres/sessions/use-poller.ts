import type { Clock } from '../../clock.ts';
import { mergeUses } from './merge-uses.ts';
import { type LoginUse, NOBODY } from './sessions.ts';

/** A server where logins may be in use. */
export interface UseSource {
  /** Identifies the server. */
  readonly place: string;
  /** Who uses logins there now. Throws if that cannot be seen (G6). */
  uses(logins: readonly string[]): Promise<Map<string, LoginUse>>;
}

/** Polls who uses the logins that rotations wait for: one query per server for all of them. */
export interface UsePoller {
  /**
   * Who uses a login on any of these servers. An answer that somebody uses it may be `maxAge`
   * milliseconds old: that makes a wait longer by no more than that. An answer that nobody uses it
   * is always new, because a login is revoked on the strength of it.
   */
  look(sources: readonly UseSource[], login: string, maxAge: number): Promise<LoginUse>;
}

/**
 * After so many milliseconds without a question a login is forgotten. The longest poll interval is
 * 15 s.
 */
const FORGET_MS = 60_000;

/** What is known of one server. */
interface Place {
  /** The logins that rotations wait for there, and when each was last asked about. */
  readonly waited: Map<string, number>;
  latest?: { readonly at: number; readonly answer: Promise<Map<string, LoginUse>> };
}

export function openUsePoller(clock: Clock): UsePoller {
  const places = new Map<string, Place>();

  function placeOf(source: UseSource, login: string): Place {
    const now = clock.now();
    const place: Place = places.get(source.place) ?? { waited: new Map() };
    places.set(source.place, place);
    place.waited.set(login, now);
    for (const [name, at] of place.waited) if (now - at > FORGET_MS) place.waited.delete(name);
    return place;
  }

  /** Who uses a login on a server: from the cache if that is new enough, else as it is now. */
  async function glance(source: UseSource, login: string, maxAge: number): Promise<Glance> {
    const { latest } = placeOf(source, login);
    if (latest && Math.abs(clock.now() - latest.at) <= maxAge) {
      // Whoever started a query that failed reports it. This one asks again.
      const use = (await latest.answer.catch(() => undefined))?.get(login);
      if (use) return { source, use, isNew: false };
    }
    return { source, use: await ask(source, login), isNew: true };
  }

  async function ask(source: UseSource, login: string): Promise<LoginUse> {
    const place = placeOf(source, login);
    const answer = source.uses([...place.waited.keys()]);
    place.latest = { at: clock.now(), answer };
    return (await answer).get(login) ?? NOBODY;
  }

  return {
    async look(sources, login, maxAge) {
      const glances = await Promise.all(sources.map((source) => glance(source, login, maxAge)));
      const isUsed = glances.some(({ use }) => use.sessions.length > 0 || use.prepared.length > 0);
      const uses = await Promise.all(
        glances.map(({ source, use, isNew }) => (isUsed || isNew ? use : ask(source, login))),
      );
      return mergeUses(uses.map((use) => new Map([[login, use]]))).get(login) ?? NOBODY;
    },
  };
}

interface Glance {
  readonly source: UseSource;
  readonly use: LoginUse;
  readonly isNew: boolean;
}

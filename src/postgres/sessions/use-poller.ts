import type { Clock } from '../../clock.ts';
import { mergeUses } from './merge-uses.ts';
import { type LoginUse, NOBODY } from './sessions.ts';

/** A server where logins may be in use. */
export interface UseSource {
  /** The same for all who ask on the same server. */
  readonly place: string;
  /** Who uses logins there at this instant; throws when that cannot be seen (G6). */
  uses(logins: readonly string[]): Promise<Map<string, LoginUse>>;
}

/** Looks who uses the logins that are waited for: one query a server for all of them, however many they are. */
export interface UsePoller {
  /**
   * Who uses a login on any of these servers. That somebody does may have been seen up to `maxAge` milliseconds ago,
   * which makes a wait no more than that longer. That nobody does is always asked anew: a login is revoked on the
   * strength of it.
   */
  look(sources: readonly UseSource[], login: string, maxAge: number): Promise<LoginUse>;
}

/** A login that nobody asked after for so long is no longer waited for; the longest poll is 15 s. */
const FORGET_MS = 60_000;

/** What is known of one server. */
interface Place {
  /** The logins that are waited for there, and when each was last asked after. */
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

  /** Who uses a login on a server, as was seen not long ago, or else as it is now. */
  async function glance(source: UseSource, login: string, maxAge: number): Promise<Glance> {
    const { latest } = placeOf(source, login);
    if (latest && Math.abs(clock.now() - latest.at) <= maxAge) {
      // A query that failed was another's to report; this one asks for itself.
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

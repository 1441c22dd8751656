import type { Clock } from '../../clock.ts';
import { type LoginUse, mergeUses, NOBODY } from './sessions.ts';

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
  poll(sources: readonly UseSource[], login: string, maxAge: number): Promise<LoginUse>;
}

/**
 * After so many milliseconds without a question a login is forgotten. The longest poll interval is
 * 15 s.
 */
const FORGET_MS = 60_000;

/** What is known about one server. */
interface PolledServer {
  /** The logins that rotations wait for there, and when each was last asked about. */
  readonly waited: Map<string, number>;
  latest?: { readonly at: number; readonly answer: Promise<Map<string, LoginUse>> };
}

export function openUsePoller(clock: Clock): UsePoller {
  return new CachingPoller(clock);
}

class CachingPoller implements UsePoller {
  readonly #clock: Clock;
  readonly #servers = new Map<string, PolledServer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async poll(sources: readonly UseSource[], login: string, maxAge: number): Promise<LoginUse> {
    const answers = await Promise.all(sources.map((source) => this.#recent(source, login, maxAge)));
    const isUsed = answers.some(({ use }) => isUse(use));
    const uses = await Promise.all(
      answers.map(({ source, use, isNew }) => (isUsed || isNew ? use : this.#ask(source, login))),
    );
    const use = mergeUses(uses.map((each) => new Map([[login, each]]))).get(login) ?? NOBODY;
    // Nobody waits for it any more, and the next query is for fewer.
    if (!isUse(use)) for (const { place } of sources) this.#servers.get(place)?.waited.delete(login);
    return use;
  }

  /** Who uses a login on a server: from the cache if that is new enough, else as it is now. */
  async #recent(source: UseSource, login: string, maxAge: number): Promise<Answer> {
    const { latest } = this.#serverOf(source, login);
    if (latest && Math.abs(this.#clock.now() - latest.at) <= maxAge) {
      // Whoever started a query that failed reports it. This one asks again.
      const use = (await latest.answer.catch(() => undefined))?.get(login);
      if (use) return { source, use, isNew: false };
    }
    return { source, use: await this.#ask(source, login), isNew: true };
  }

  async #ask(source: UseSource, login: string): Promise<LoginUse> {
    const server = this.#serverOf(source, login);
    const answer = source.uses([...server.waited.keys()]);
    server.latest = { at: this.#clock.now(), answer };
    return (await answer).get(login) ?? NOBODY;
  }

  /** The server of a source. The login counts among those that rotations wait for there. */
  #serverOf(source: UseSource, login: string): PolledServer {
    const now = this.#clock.now();
    const server: PolledServer = this.#servers.get(source.place) ?? { waited: new Map() };
    this.#servers.set(source.place, server);
    server.waited.set(login, now);
    for (const [name, at] of server.waited) if (now - at > FORGET_MS) server.waited.delete(name);
    return server;
  }
}

function isUse({ sessions, prepared }: LoginUse): boolean {
  return sessions.length > 0 || prepared.length > 0;
}

/** What one server says of one login. */
interface Answer {
  readonly source: UseSource;
  readonly use: LoginUse;
  readonly isNew: boolean;
}

import type { FleetPolicy, Published } from './fleet.ts';

/** One version that a policy published, and when it was seen. */
export interface Publication extends Published {
  /** When the first read that had it ended: it was published before. */
  readonly firstSeen: number;
  /** When the last read that had it began: it was replaced after that, if it was. */
  readonly lastSeen: number;
}

/** What a policy published, as somebody who reads its store all the time has seen it. */
export class Publications {
  readonly #policy: FleetPolicy;
  readonly #seen = new Map<string, Publication>();
  readonly #onTwoPasswords: (version: string) => void;
  /** What the latest read had. */
  latest: Publication | undefined;

  constructor(policy: FleetPolicy, onTwoPasswords: (version: string) => void) {
    this.#policy = policy;
    this.#onTwoPasswords = onTwoPasswords;
  }

  /** Reads the store now. Undefined where nothing is published, or the store does not answer. */
  async read(): Promise<Publication | undefined> {
    const began = Date.now();
    const published = await this.#policy.read().catch(() => undefined);
    if (!published) return undefined;
    const before = this.#seen.get(published.version);
    if (before && before.password !== published.password) this.#onTwoPasswords(published.version);
    const publication = {
      ...published,
      firstSeen: before?.firstSeen ?? Date.now(),
      lastSeen: Math.max(began, before?.lastSeen ?? 0),
    };
    this.#seen.set(published.version, publication);
    this.latest = publication;
    return publication;
  }

  /** Every version that was seen, the one that was current last at the end. */
  all(): Publication[] {
    return [...this.#seen.values()].toSorted((one, other) => one.lastSeen - other.lastSeen);
  }

  /** Those of one login. */
  of(user: string): Publication[] {
    return this.all().filter((publication) => publication.user === user);
  }

  /** The version that was current before this one. */
  before({ version }: Published): Publication | undefined {
    return this.all().findLast((publication) => publication.version !== version);
  }
}

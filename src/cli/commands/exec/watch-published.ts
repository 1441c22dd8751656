import { type FSWatcher, watch } from 'node:fs';

export interface Watched {
  /** Milliseconds between two looks; less than a second counts as one. */
  readonly every: number;
  /** How long to wait for further changes, from the last on; milliseconds. */
  readonly settle: number;
  /** The upper bound of a random wait on top of it, which spreads many programs; milliseconds. */
  readonly splay: number;
  /** Folders in which something happens when there may be a change. */
  readonly folders: readonly string[];
  isChanged(): Promise<boolean>;
  onChange(): Promise<void>;
  /** Called with the first fault of a look, and with the next after a look without one. */
  onFault(error: unknown): void;
}

/** A version is written in several steps; what is read before the last has not changed. */
const AFTER_EVENT_MS = 100;
/** Further changes put `onChange` off for so many times `settle` at most. */
const LONGEST = 5;
/** A longer timer of Node.js fires at once: https://nodejs.org/api/timers.html */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Looks again and again whether something has changed, and calls `onChange` once it is quiet. */
export function watchPublished(watched: Watched): { close(): void } {
  return new Watch(watched);
}

class Watch {
  readonly #watched: Watched;
  readonly #watchers: FSWatcher[] = [];
  #next: NodeJS.Timeout | undefined;
  #pending: NodeJS.Timeout | undefined;
  #pendingSince = 0;
  #splay = 0;
  #isLooking = false;
  /** Whether something has happened since the last look began. */
  #isNoticed = false;
  #hasFault = false;
  #isClosed = false;

  constructor(watched: Watched) {
    this.#watched = watched;
    for (const folder of watched.folders) this.#watchFolder(folder);
    this.#lookLater();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#next);
    clearTimeout(this.#pending);
    for (const watcher of this.#watchers) watcher.close();
  }

  /** Where a folder cannot be watched, or goes away, the looks at intervals are left. */
  #watchFolder(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#noticed());
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {}
  }

  #noticed(): void {
    if (this.#pending !== undefined) {
      // Whoever waits already reads anew at the end.
      this.#wait();
      return;
    }
    // Further events do not put the look off. One during a look may be later than what it reads.
    if (!this.#isNoticed && !this.#isLooking) this.#lookIn(AFTER_EVENT_MS);
    this.#isNoticed = true;
  }

  #lookLater(): void {
    this.#lookIn(this.#isNoticed ? AFTER_EVENT_MS : Math.max(1_000, this.#watched.every));
  }

  #lookIn(milliseconds: number): void {
    if (this.#isClosed) return;
    clearTimeout(this.#next);
    this.#next = setTimeout(() => this.#look(), milliseconds);
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    this.#isNoticed = false;
    await this.#guarded(async () => {
      if ((await this.#watched.isChanged()) && this.#pending === undefined) {
        this.#pendingSince = performance.now();
        this.#splay = Math.random() * this.#watched.splay;
        this.#wait();
      }
    });
    this.#isLooking = false;
    this.#lookLater();
  }

  #wait(): void {
    if (this.#isClosed) return;
    const { settle } = this.#watched;
    const left = this.#pendingSince + LONGEST * settle - performance.now();
    clearTimeout(this.#pending);
    this.#pending = setTimeout(
      async () => {
        this.#pending = undefined;
        await this.#guarded(() => this.#watched.onChange());
      },
      Math.min(Math.max(0, Math.min(settle, left)) + this.#splay, LONGEST_TIMER_MS),
    );
  }

  async #guarded(body: () => Promise<void>): Promise<void> {
    try {
      await body();
      this.#hasFault = false;
    } catch (error) {
      if (!this.#hasFault && !this.#isClosed) this.#watched.onFault(error);
      this.#hasFault = true;
    }
  }
}

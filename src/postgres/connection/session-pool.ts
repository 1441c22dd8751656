import type { Connection } from '../../config/config.ts';
import { fault, isFault } from '../../facts/fault.ts';
import type { Session } from './connect.ts';
import { connectRotator } from './connect-rotator.ts';
import { isServerFull } from './database-error.ts';
import { readSlots } from './free-slots.ts';
import { watchTransaction } from './pg-internals.ts';
import { placeOf } from './place-of.ts';
import { MINIMUM, SessionBudget, type Use } from './session-budget.ts';
import { remembering } from './session-pin.ts';

/**
 * Sessions of one connection in one process: all rotations together have at most `maxSessions` of
 * the rotator, and as many that prove a login.
 */
export interface SessionPool extends AsyncDisposable {
  /**
   * A session of the rotator. Disposing of it gives it back. If all are in use it waits, and throws
   * `no-session-free` in the end. Urgent ones go first.
   */
  rotator(options?: { readonly urgent?: boolean }): Promise<Session>;
  /**
   * Opens a session of the same server that proves a login. It counts until it is disposed of.
   */
  beside(open: () => Promise<Session>): Promise<Session>;
}

export const DEFAULT_MAX_SESSIONS = 4;

const PATIENCE_MS = 30_000;
/** How long an idle session is kept. */
const IDLE_MS = 5_000;
/**
 * How old a session may be that is used again: after a failover the server's name may lead
 * elsewhere.
 */
const AGE_MS = 60_000;
/** How long the number of free slots is valid. */
const SLOTS_AGE_MS = 1_000;
/**
 * With fewer free slots than this a rotation gets only what it needs, and other clients have the
 * rest.
 */
const SPARE_SLOTS = 10;
/** A process has at most one session of the rotator for so many slots of a server. */
const SHARE = 12;
/**
 * How long to open nothing after the server had no slot: from the first, doubling up to the second.
 */
const PAUSE_MS = [1_000, 30_000] as const;

interface Kept {
  readonly session: Session;
  readonly openedAt: number;
  /** False while a query or a transaction is under way. */
  readonly isAtRest: () => boolean;
  alive: boolean;
}

export function openSessionPool(connection: Connection): SessionPool {
  return new CountingPool(connection);
}

class CountingPool implements SessionPool {
  readonly #connection: Connection;
  readonly #max: number;
  readonly #budget: SessionBudget;
  readonly #idle = new Map<Kept, NodeJS.Timeout>();
  readonly #pause = new Pause();
  #isClosed = false;
  #isScarce = true;
  #countedAt = Number.NEGATIVE_INFINITY;
  /** Sessions are opened one after another, so that each knows what the one before found. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connection: Connection) {
    this.#connection = remembering(connection);
    this.#max = connection.maxSessions ?? DEFAULT_MAX_SESSIONS;
    this.#budget = new SessionBudget(this.#max);
  }

  async rotator({ urgent = false }: { readonly urgent?: boolean } = {}): Promise<Session> {
    await this.#take('rotator', urgent);
    try {
      const next = this.#turn.then(() => this.#reused() ?? this.#opened(urgent));
      this.#turn = next.catch(() => {});
      const kept = await next;
      return once(kept.session, () => this.#release(kept));
    } catch (error) {
      this.#budget.give('rotator');
      throw error;
    }
  }

  async beside(open: () => Promise<Session>): Promise<Session> {
    await this.#take('proof', true);
    try {
      const session = await open();
      return once(session, async () => {
        try {
          await session[Symbol.asyncDispose]();
        } finally {
          this.#budget.give('proof');
        }
      });
    } catch (error) {
      this.#budget.give('proof');
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const kept of [...this.#idle.keys()]) await this.#discard(kept);
  }

  async #take(use: Use, urgent: boolean): Promise<void> {
    if (await this.#budget.take(use, { patience: PATIENCE_MS, urgent })) return;
    throw fault('no-session-free', {
      place: placeOf(this.#connection),
      connection: this.#connection.name,
      seconds: PATIENCE_MS / 1_000,
      maxSessions: this.#max,
    });
  }

  #reused(): Kept | undefined {
    for (const [kept, timer] of this.#idle) {
      if (!kept.alive || performance.now() - kept.openedAt > AGE_MS) continue;
      clearTimeout(timer);
      this.#idle.delete(kept);
      return kept;
    }
    return undefined;
  }

  async #opened(urgent: boolean): Promise<Kept> {
    await this.#makeRoom();
    if (urgent) this.#pause.over();
    const connection = this.#connection;
    const session = await this.#pause.heed(connection, () => connectRotator(connection));
    const isAtRest = watchTransaction(session.client);
    const kept: Kept = { session, openedAt: performance.now(), isAtRest, alive: true };
    session.client.once('end', () => {
      kept.alive = false;
    });
    await this.#countSlots(kept);
    return kept;
  }

  /** Idle sessions count too, because they take slots of the server. */
  async #makeRoom(): Promise<void> {
    for (const kept of [...this.#idle.keys()]) {
      if (this.#budget.rotators + this.#idle.size <= this.#max) return;
      if (this.#idle.has(kept)) await this.#discard(kept);
    }
  }

  async #countSlots({ session }: Kept): Promise<void> {
    if (performance.now() - this.#countedAt < SLOTS_AGE_MS) return;
    this.#countedAt = performance.now();
    const slots = await readSlots(session.client).catch(() => undefined);
    this.#isScarce = slots === undefined || slots.free < SPARE_SLOTS;
    this.#budget.allow(slots === undefined || this.#isScarce ? MINIMUM : Math.floor(slots.all / SHARE));
  }

  async #release(kept: Kept): Promise<void> {
    try {
      // keyturn sets nothing in a session beyond a transaction, so there is nothing to reset.
      if (!kept.alive || !kept.isAtRest()) return await this.#discard(kept);
      await this.#countSlots(kept);
      if (this.#isClosed || this.#isScarce || !kept.alive) return await this.#discard(kept);
      const timer = setTimeout(() => void this.#discard(kept), IDLE_MS).unref();
      this.#idle.set(kept, timer);
    } finally {
      this.#budget.give('rotator');
    }
  }

  async #discard(kept: Kept): Promise<void> {
    clearTimeout(this.#idle.get(kept));
    this.#idle.delete(kept);
    await kept.session[Symbol.asyncDispose]();
  }
}

/** The same session with another way to end it, which runs once only. */
function once({ client, proven }: Session, end: () => Promise<void>): Session {
  let ended: Promise<void> | undefined;
  return {
    client,
    proven,
    [Symbol.asyncDispose]() {
      ended ??= end();
      return ended;
    },
  };
}

/** While a server has no slot, keyturn asks it only once in a while. */
class Pause {
  #until = 0;
  #faults = 0;
  #last: unknown;

  over(): void {
    this.#until = 0;
  }

  async heed<Result>(connection: Connection, open: () => Promise<Result>): Promise<Result> {
    if (performance.now() < this.#until) {
      const cause = this.#last;
      throw fault('connections-exhausted-lately', { place: placeOf(connection) }, { cause });
    }
    try {
      const result = await open();
      this.#faults = 0;
      return result;
    } catch (error) {
      if (hasNoConnection(error)) {
        const [first, longest] = PAUSE_MS;
        const base = Math.min(longest, first * 2 ** Math.min(this.#faults, 10));
        // So that not all workers ask at the same instant.
        this.#until = performance.now() + base * (0.5 + Math.random());
        this.#faults += 1;
        this.#last = error;
      }
      throw error;
    }
  }
}

function hasNoConnection(error: unknown): boolean {
  return (
    isServerFull(error) ||
    isFault(error, 'login-connection-limit-reached', 'database-connection-limit-reached')
  );
}

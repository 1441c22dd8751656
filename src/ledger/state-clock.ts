import { performance } from 'node:perf_hooks';
import type { Clock } from '../clock.ts';
import { type Fact, fact } from '../facts/fact.ts';
import { fault } from '../facts/fault.ts';

/** A difference from here on is reported, in milliseconds. */
export const TOLD_SKEW_MS = 30_000;
/** With a difference from here on, no rotation is opened. */
export const REFUSED_SKEW_MS = 5 * 60_000;

/**
 * How long a measurement is valid. Two clocks drift apart by less than a millisecond in that time.
 */
const STALE_MS = 60_000;
/**
 * If the wall clock moved this much against the monotonic one, it was set, or the machine slept.
 */
const JUMP_MS = 1_000;
/**
 * An answer that took longer is too inexact, so the question is repeated. The quickest answer
 * counts.
 */
const QUICK_MS = 100;
const TRIES = 5;

/**
 * The clock that slots, graces and deadlines are counted by. On every machine it is the state
 * database's.
 */
export interface StateClock extends Clock {
  readonly followsDatabase: true;
  /** Measures again if the last measurement is no longer valid. Throws what the question threw. */
  follow(): Promise<void>;
  /**
   * How far this machine's wall clock is ahead, in milliseconds; undefined before the first
   * measurement.
   */
  skew(): number | undefined;
}

/** The clocks of this machine, in milliseconds. */
export interface LocalClocks {
  /** Since the epoch. It may be wrong, and may jump. */
  wall(): number;
  /** From an arbitrary start. It never jumps, but may stand still while the machine sleeps. */
  monotonic(): number;
}

const machine: LocalClocks = { wall: () => Date.now(), monotonic: () => performance.now() };

interface Measurement {
  /** The database's time in milliseconds since the epoch, and the local clocks at that instant. */
  readonly database: number;
  readonly wall: number;
  readonly monotonic: number;
}

/** What a clock is measured by. */
interface Followed {
  /** Asks for the database's time, in milliseconds since the epoch. */
  readonly ask: () => Promise<number>;
  /** Called when the difference becomes one that matters. */
  readonly tell: (fact: Fact) => void;
}

/**
 * Follows the state database's clock. Between two measurements it advances by the monotonic clock,
 * so it does not matter if somebody sets the wall clock. Before the first measurement it is the
 * wall clock.
 */
export function followClock(followed: Followed, local: LocalClocks = machine): StateClock {
  return new FollowedClock(followed, local);
}

class FollowedClock implements StateClock {
  readonly followsDatabase = true;
  readonly #followed: Followed;
  readonly #local: LocalClocks;
  #latest: Measurement | undefined;
  #measuring: Promise<void> | undefined;
  #told = false;

  constructor(followed: Followed, local: LocalClocks) {
    this.#followed = followed;
    this.#local = local;
  }

  now(): number {
    if (!this.#latest) return this.#local.wall();
    return Math.floor(this.#latest.database + this.#local.monotonic() - this.#latest.monotonic);
  }

  skew(): number | undefined {
    return this.#latest && this.#local.wall() - this.now();
  }

  async follow(): Promise<void> {
    if (this.#isGood()) return;
    this.#measuring ??= this.#measure().finally(() => {
      this.#measuring = undefined;
    });
    await this.#measuring;
  }

  /** Whether the latest measurement still holds. */
  #isGood(): boolean {
    if (!this.#latest) return false;
    const age = this.#local.monotonic() - this.#latest.monotonic;
    return age < STALE_MS && Math.abs(this.#local.wall() - this.#latest.wall - age) < JUMP_MS;
  }

  async #measure(): Promise<void> {
    const { ask, tell } = this.#followed;
    let best = await measureOnce(ask, this.#local);
    for (let tries = 1; best.took > QUICK_MS && tries < TRIES; tries += 1) {
      const next = await measureOnce(ask, this.#local);
      if (next.took < best.took) best = next;
    }
    this.#latest = best.measured;
    const skew = this.skew() ?? 0;
    const differs = Math.abs(skew) >= TOLD_SKEW_MS;
    if (differs && !this.#told) tell(skewFact(skew));
    this.#told = differs;
  }
}

async function measureOnce(
  ask: () => Promise<number>,
  local: LocalClocks,
): Promise<{ readonly took: number; readonly measured: Measurement }> {
  const sent = local.monotonic();
  const database = await ask();
  const received = local.monotonic();
  const took = received - sent;
  // The answer was true at some instant in between. The middle is wrong by half of that time at
  // most.
  return { took, measured: { database, wall: local.wall() - took / 2, monotonic: received - took / 2 } };
}

/** Whether this machine and the state database differ too much to open a rotation. */
export function isWrong(clock: Clock): boolean {
  return Math.abs(clock.skew?.() ?? 0) >= REFUSED_SKEW_MS;
}

/**
 * Throws a fault `clock-wrong` when this machine and the state database differ too much to open a
 * rotation.
 */
export function refuseWrongClock(clock: StateClock): void {
  if (!isWrong(clock)) return;
  const now = clock.now();
  throw fault('clock-wrong', {
    machine: new Date(now + (clock.skew() ?? 0)).toISOString(),
    database: new Date(now).toISOString(),
  });
}

/** Reports a difference that matters. `skew` is how far this machine is ahead, in milliseconds. */
export function skewFact(skew: number): Fact {
  return fact('clock-differs', { ahead: Math.round(skew), refuses: Math.abs(skew) >= REFUSED_SKEW_MS });
}

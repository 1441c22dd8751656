import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../../facts/fault.ts';
import type { Backend, Held, Shown, Unit } from './backend.ts';
import { shownFields } from './seen-token.ts';
import { EMPTY, parseShelf, type Shelf } from './shelf.ts';

/** How often something is tried anew when another process changed it in between. */
export const ATTEMPTS = 8;

/** Both places of a unit at about one instant. */
export interface Look {
  readonly unit: Unit;
  readonly shown: Shown | undefined;
  readonly held: Held | undefined;
  readonly shelf: Shelf;
}

/** Reads the places of units, and changes shelves. */
export class Looking {
  readonly #store: string;
  readonly #backend: Backend;

  /** `store` is the name that faults give. */
  constructor(store: string, backend: Backend) {
    this.#store = store;
    this.#backend = backend;
  }

  async look(unit: Unit): Promise<Look> {
    const [shown, held] = await Promise.all([this.#backend.readShown(unit), this.#backend.readShelf(unit)]);
    const shelf = held === undefined ? EMPTY : parseShelf(this.#store, unit.name, held.text);
    return { unit, shown, held, shelf };
  }

  /**
   * Replaces a shelf by what `decide` makes of it, until nobody else did so in between. `looked`
   * spares the first look. Gives the shelf as it is then.
   */
  async change(unit: Unit, decide: (look: Look) => Shelf | undefined, looked?: Look): Promise<Shelf> {
    for (let attempt = 1; ; attempt += 1) {
      const look = attempt === 1 && looked ? looked : await this.look(unit);
      const next = decide(look);
      if (next === undefined) return look.shelf;
      if (await this.#backend.writeShelf(unit, JSON.stringify(next), look.held)) return next;
      await this.pause(unit, attempt);
    }
  }

  /** Waits before another attempt. Throws `secret-contended` when there were enough. */
  async pause({ name }: Unit, attempt: number): Promise<void> {
    if (attempt >= ATTEMPTS) throw fault('secret-contended', { store: this.#store, secret: name });
    await sleep(Math.random() * 20 * 2 ** attempt);
  }
}

/** Whether consumers see a value under any of the mapped names. */
export function showsAny({ unit, shown }: Pick<Look, 'unit' | 'shown'>): boolean {
  return Object.keys(shownFields(unit, shown)).length > 0;
}

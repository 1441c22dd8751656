import { secretsOf } from '../../../src/secret-store/secret-content.ts';
import type { Backend, Contents, Held, Shown, Unit } from '../../../src/secret-store/shelf/backend.ts';

/** Secrets in memory that outlive the process that writes them, with a unit for each. */
export class Memory {
  readonly shown = new Map<string, string>();
  readonly shelves = new Map<string, string>();

  /**
   * A backend of one process, which is killed before its `lives`-th write, from 0. `order` says
   * which unit is written first.
   */
  backend(order: readonly string[], lives = Number.POSITIVE_INFINITY): Backend & { isKilled(): boolean } {
    let left = lives;
    const write = (places: Map<string, string>, name: string, text: string, replaced: string | undefined) => {
      left -= 1;
      if (left < 0) throw new Error('killed');
      if (places.get(name) !== replaced) return false;
      places.set(name, text);
      return true;
    };
    return {
      unitsOf: (mapping) =>
        [...secretsOf(mapping)]
          .map(([name, entries]): Unit => ({ name, secrets: new Map([[name, entries]]) }))
          .toSorted((one, other) => order.indexOf(one.name) - order.indexOf(other.name)),
      readShown: async ({ name }) => shownOf(this.shown.get(name)),
      readShelf: async ({ name }) => heldOf(this.shelves.get(name)),
      writeShown: async ({ name }: Unit, contents: Contents, replaced: Shown | undefined) =>
        write(this.shown, name, contents.get(name)?.text ?? '', replaced?.contentOf(name, false)),
      writeShelf: async ({ name }: Unit, text: string, replaced: Held | undefined) =>
        write(this.shelves, name, text, replaced?.text),
      deleteUnit: async ({ name }) => {
        this.shown.delete(name);
        this.shelves.delete(name);
      },
      close: async () => {},
      isKilled: () => left < 0,
    };
  }
}

function shownOf(text: string | undefined): Shown | undefined {
  return text === undefined ? undefined : { contentOf: () => text, since: undefined };
}

function heldOf(text: string | undefined): Held | undefined {
  return text === undefined ? undefined : { text };
}

import type { Mapping } from '../../config/policy.ts';
import type { Fact } from '../../facts/fact.ts';
import type { SecretEntries } from '../secret-content.ts';

/** Secrets that a store can change at one instant, such as the data of one Secret. */
export interface Unit {
  /** As faults name it. */
  readonly name: string;
  /** The secrets of a mapping that are in it, by their names in the mapping. */
  readonly secrets: ReadonlyMap<string, SecretEntries>;
}

/** What consumers read of a unit that exists. */
export interface Shown {
  /** The content of a secret; `keyed` asks for it as a JSON object. */
  contentOf(secret: string, keyed: boolean): string | undefined;
  /** What else it has besides the secrets of the mapping. Left out where there can be nothing. */
  namesBeside?(secrets: ReadonlyMap<string, SecretEntries>): readonly string[];
  /** Since when it has this content; undefined where nobody knows. */
  readonly since: Date | undefined;
}

/** A new content of one secret. */
export interface Content {
  readonly text: string;
  /** Whether the text is a JSON object whose keys are fields. */
  readonly keyed: boolean;
}

export type Contents = ReadonlyMap<string, Content>;

/** What lies beside a unit, out of the sight of its consumers. */
export interface Held {
  readonly text: string;
}

/**
 * What an adapter does for `storeWithShelf`. Each unit has two places: what consumers read, and the
 * shelf, a text beside it. Each write states what it replaces, and is refused when that has
 * changed since: then it gives false, and nothing has changed. `undefined` is what does not exist.
 */
export interface Backend<Seen extends Shown = Shown, Kept extends Held = Held> {
  /** The units of a mapping, that of the password first. */
  unitsOf(mapping: Mapping): readonly Unit[];
  readShown(unit: Unit): Promise<Seen | undefined>;
  /** Puts these contents where consumers read, all at one instant. Other content stays. */
  writeShown(unit: Unit, contents: Contents, replaced: Seen | undefined): Promise<boolean>;
  readShelf(unit: Unit): Promise<Kept | undefined>;
  writeShelf(unit: Unit, text: string, replaced: Kept | undefined): Promise<boolean>;
  /** Deletes the secrets of a unit that the mapping names, and its shelf, for good. */
  deleteUnit(unit: Unit): Promise<void>;
  /**
   * Called when these units all show a version, and before its promotion is recorded: so it is
   * called again after a kill.
   */
  whenShown?(units: readonly Unit[], token: string): Promise<void>;
  /** Throws what would keep `writeShown` from writing, and changes nothing. */
  tryShown?(unit: Unit, contents: Contents, replaced: Seen): Promise<void>;
  /** What is in the way of every unit. */
  obstacles?(): Promise<readonly Fact[]>;
  close(): Promise<void>;
}

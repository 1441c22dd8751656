import { systemClock } from '../../clock.ts';
import type { Mapping } from '../../config/policy.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { fault } from '../../facts/fault.ts';
import { latestOf, promotableStages, refuseOther, requireUnshared } from '../adapter-rules.ts';
import { inParallel } from '../in-parallel.ts';
import { readVersion } from '../read-version.ts';
import { isJson, requireValues } from '../secret-content.ts';
import type { Fields, PromoteOptions, SecretStore, Stage, Version } from '../secret-store.ts';
import type { Backend, Unit } from './backend.ts';
import { contentsOf } from './contents.ts';
import { keepSeen } from './keep-seen.ts';
import { type Look, Looking, showsAny } from './looking.ts';
import { promoteUnits } from './promotion.ts';
import { isShown, isUnrecorded, seenToken, sharedToken, shownFields, shownTokens } from './seen-token.ts';
import { fieldsOf, isAt, joined, pruned, type Shelf, versionOf, without, withVersion } from './shelf.ts';

/**
 * A store whose readers always get the latest version, so that nothing may be staged under the name
 * that they read. What is staged lies on a shelf beside it, and a promotion copies it over. Every
 * change of a stage is one write of one text that states what it replaces.
 */
export function storeWithShelf(name: string, backend: Backend): SecretStore {
  return new StoreWithShelf(name, backend);
}

class StoreWithShelf implements SecretStore {
  readonly #name: string;
  readonly #backend: Backend;
  readonly #looking: Looking;

  constructor(name: string, backend: Backend) {
    this.#name = name;
    this.#backend = backend;
    this.#looking = new Looking(name, backend);
  }

  async read(mapping: Mapping, stage: Stage): Promise<Version | undefined> {
    const looks = await inParallel(this.#backend.unitsOf(mapping), (unit) => this.#lookTwice(unit));
    const shared = sharedToken(looks);
    return readVersion(looks, stage, async (look, at, token = shared) => partOf(look, at, token));
  }

  async since(mapping: Mapping): Promise<Date | undefined> {
    const units = this.#backend.unitsOf(mapping);
    const read = async (unit: Unit) => ({ unit, shown: await this.#backend.readShown(unit) });
    const published = (await inParallel(units, read)).filter(showsAny);
    return latestOf(published.flatMap(({ shown }) => shown?.since ?? []));
  }

  async stage(
    mapping: Mapping,
    token: string,
    fields: Fields,
    { create }: { readonly create: boolean },
  ): Promise<void> {
    requireValues(mapping, fields);
    const looks = await this.#lookAll(mapping);
    if (!create) this.#requireShown(looks);
    const found = looks.map(({ unit, shelf }) => fieldsOf(unit, shelf.versions[token]));
    let first: Fields = Object.assign({}, ...found);
    for (const look of looks) {
      const { unit } = look;
      const decide = (now: Look) => this.#staged(now, token, { first, fields });
      const shelf = await this.#looking.change(unit, decide, look);
      first = { ...first, ...fieldsOf(unit, shelf.versions[token]) };
    }
  }

  async promote(mapping: Mapping, token: string, options?: PromoteOptions): Promise<void> {
    const looks = await this.#lookAll(mapping);
    await promoteUnits({ store: this.#name, backend: this.#backend, looking: this.#looking }, looks, {
      token,
      stages: promotableStages(options),
    });
  }

  async discard(mapping: Mapping, token: string): Promise<void> {
    const looks = await this.#lookAll(mapping);
    // What is current in one unit must become so in all.
    if (looks.some((look) => hasBegun(look, token))) return;
    await inParallel(looks, (look) =>
      this.#looking.change(
        look.unit,
        (now) => (hasBegun(now, token) ? undefined : removed(now.shelf, token)),
        look,
      ),
    );
  }

  async remove(mapping: Mapping): Promise<void> {
    const looks = await this.#lookAll(mapping);
    for (const { unit, shown } of looks) {
      const keys = shown?.namesBeside?.(unit.secrets) ?? [];
      if (keys.length > 0) throw fault('secret-shared', { store: this.#name, secret: unit.name, keys });
      for (const [secret, entries] of unit.secrets) {
        requireUnshared(this.#name, secret, entries, shown?.contentOf(secret, isJson(entries)));
      }
    }
    await inParallel(looks, ({ unit }) => this.#backend.deleteUnit(unit));
  }

  async obstacles(
    mapping: Mapping,
    { create, current }: { readonly create: boolean; readonly current: Fields },
  ): Promise<readonly Fact[]> {
    const general = (await this.#backend.obstacles?.()) ?? [];
    const unseen = this.#backend
      .unitsOf(mapping)
      .filter(({ secrets }) =>
        [...secrets.values()].flat().every(({ field }) => current[field] === undefined),
      );
    const found = await inParallel(unseen, async (unit) => {
      if ((await this.#backend.readShown(unit)) || create) return [];
      return [...unit.secrets.keys()].map((secret) => fact('secret-missing', { store: this.#name, secret }));
    });
    return [...general, ...found.flat()];
  }

  async rehearse(mapping: Mapping, token: string, fields: Fields): Promise<void> {
    requireValues(mapping, fields);
    const looks = await this.#lookAll(mapping);
    this.#requireShown(looks);
    for (const look of looks) {
      const version = versionOf(look.unit, fields, new Date(systemClock.now()));
      if (look.shown) {
        await this.#backend.tryShown?.(look.unit, contentsOf(version, look.shown), look.shown);
      }
      await this.#looking.change(look.unit, ({ shelf }) => withVersion(shelf, token, version), look);
      await this.#looking.change(look.unit, ({ shelf }) => removed(shelf, token));
    }
  }

  async close(): Promise<void> {
    await this.#backend.close();
  }

  #lookAll(mapping: Mapping): Promise<Look[]> {
    return inParallel(this.#backend.unitsOf(mapping), (unit) => this.#looking.look(unit));
  }

  #requireShown(looks: readonly Look[]): void {
    for (const { unit, shown } of looks) {
      const [secret = unit.name] = unit.secrets.keys();
      if (shown === undefined) throw fault('secret-missing', { store: this.#name, secret });
    }
  }

  async #lookTwice(unit: Unit): Promise<Look> {
    const look = await this.#looking.look(unit);
    // The two places are read one after the other, and a promotion may have come in between.
    const isOver = shownTokens(look.shown, look.shelf).length === 0 && showsAny(look);
    return isOver ? this.#looking.look(unit) : look;
  }

  /** The shelf with the token's version pending; undefined where it stays as it is. */
  #staged(
    look: Look,
    token: string,
    { first, fields }: { readonly first: Fields; readonly fields: Fields },
  ): Shelf | undefined {
    const { unit, shown, shelf } = look;
    if (isAt(shelf, token, 'current', 'previous') || hasBegun(look, token)) return undefined;
    const own = shelf.versions[token];
    const wanted = versionOf(unit, fields, new Date(systemClock.now()));
    // Throws where the secret could not take it.
    contentsOf(wanted, shown);
    const version = own === undefined ? wanted : joined(own, wanted);
    const isComplete = own !== undefined && JSON.stringify(own) === JSON.stringify(version);
    if (isComplete && shelf.pending === token) return undefined;
    if (!isComplete) refuseOther(this.#name, token, { ...first, ...fieldsOf(unit, own) }, fields);
    // Otherwise what was there before would count as promoted.
    const seen = isShown(version, shown) ? keepSeen(look, shownTokens(shown, shelf)[0]) : undefined;
    return pruned({ ...withVersion(seen ?? shelf, token, version), pending: token });
  }
}

/** What a unit has of a version; `token` is preferred where several have the values it shows. */
function partOf({ unit, shown, shelf }: Look, stage: Stage, token: string | undefined): Version | undefined {
  const seen = seenToken(shown, shelf, token);
  if (stage === 'current') {
    const fields = shownFields(unit, shown);
    return Object.keys(fields).length === 0 ? undefined : { token: seen, fields };
  }
  const wanted = stage === 'pending' ? shelf.pending : previousOf(shelf, seen);
  if (wanted === undefined || wanted === seen) return undefined;
  return { token: wanted, fields: fieldsOf(unit, shelf.versions[wanted]) };
}

function hasBegun({ shown, shelf }: Look, token: string): boolean {
  return shelf.current === token || isUnrecorded(token, shown, shelf);
}

/** Of a promotion that stopped before it was recorded, what was current before it. */
function previousOf({ current, pending, previous }: Shelf, seen: string | undefined): string | undefined {
  return seen !== undefined && seen === pending && current !== seen ? current : previous;
}

function removed(shelf: Shelf, token: string): Shelf | undefined {
  const isThere = Object.hasOwn(shelf.versions, token) || shelf.pending === token;
  return isThere ? without(shelf, token) : undefined;
}

import * as z from 'zod';
import { FIELDS } from '../../config/policy.ts';
import { fault } from '../../facts/fault.ts';
import type { Fields, Stage } from '../secret-store.ts';
import type { Unit } from './backend.ts';

/** A mapped field with its value; without a key it is the whole secret. */
const item = z.object({ field: z.enum(FIELDS), key: z.string().optional(), value: z.string() });

const version = z.object({
  at: z.iso.datetime(),
  secrets: z.record(z.string(), z.array(item)),
});

const shelf = z.object({
  keyturn: z.literal(1),
  current: z.string().optional(),
  pending: z.string().optional(),
  previous: z.string().optional(),
  versions: z.record(z.string(), version),
});

export type ShelfItem = z.output<typeof item>;
export type ShelfVersion = z.output<typeof version>;

/**
 * The versions of one unit, by the rotation that staged them, and which is at which stage. It lies
 * in one text that is replaced in one step, so a version is never without a stage between two
 * requests. `current` may lag behind what consumers see, which `seenToken` tells.
 */
export type Shelf = z.output<typeof shelf>;

export const EMPTY: Shelf = { keyturn: 1, versions: {} };

/** Versions at no stage that are kept: another rotation may have taken their place too early. */
const SPARE = 2;

/** Throws `staging-secret-foreign` where something else has the name. */
export function parseShelf(store: string, secret: string, text: string): Shelf {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Reported below: the parser's own message would quote the content.
  }
  const parsed = shelf.safeParse(value);
  if (!parsed.success) throw fault('staging-secret-foreign', { store, secret });
  return parsed.data;
}

/** The values of a unit's mapped fields as a version. */
export function versionOf(unit: Unit, fields: Fields, at: Date): ShelfVersion {
  const secrets = [...unit.secrets].map(([secret, entries]) => {
    const items = entries.flatMap(({ field, key }): ShelfItem[] => {
      const value = fields[field];
      return value === undefined ? [] : [{ field, value, ...(key === undefined ? {} : { key }) }];
    });
    return [secret, items] as const;
  });
  return {
    at: at.toISOString(),
    secrets: Object.fromEntries(secrets.filter(([, items]) => items.length > 0)),
  };
}

/** The fields that a version has where the unit maps them. */
export function fieldsOf(unit: Unit, version: ShelfVersion | undefined): Fields {
  const found = [...unit.secrets].flatMap(([secret, entries]) =>
    (version?.secrets[secret] ?? [])
      .filter((item) => entries.some(({ field, key }) => field === item.field && key === item.key))
      .map(({ field, value }) => [field, value] as const),
  );
  return Object.fromEntries(found);
}

/** Whether a version has all that the unit maps. */
export function isWhole(unit: Unit, version: ShelfVersion): boolean {
  const found = fieldsOf(unit, version);
  return [...unit.secrets.values()].flat().every(({ field }) => found[field] !== undefined);
}

/** A version, and what another adds where it has nothing yet. */
export function joined(one: ShelfVersion, more: ShelfVersion): ShelfVersion {
  const secrets = { ...one.secrets };
  for (const [secret, items] of Object.entries(more.secrets)) {
    const own = secrets[secret] ?? [];
    const isNew = ({ field, key }: ShelfItem) => !own.some((it) => it.field === field && it.key === key);
    secrets[secret] = [...own, ...items.filter(isNew)];
  }
  return { ...one, secrets };
}

export function isAt({ versions, ...stages }: Shelf, token: string, ...at: readonly Stage[]): boolean {
  return Object.hasOwn(versions, token) && at.some((stage) => stages[stage] === token);
}

export function withVersion(shelf: Shelf, token: string, version: ShelfVersion): Shelf {
  return { ...shelf, versions: { ...shelf.versions, [token]: version } };
}

/** Without the version, and without its label `pending`. One that is at another stage stays. */
export function without(shelf: Shelf, token: string): Shelf {
  const { pending, ...rest } = shelf;
  const kept = pending === undefined || pending === token ? rest : shelf;
  if (isAt(kept, token, 'current', 'pending', 'previous')) return kept;
  const versions = Object.entries(kept.versions).filter(([each]) => each !== token);
  return { ...kept, versions: Object.fromEntries(versions) };
}

/** With the token's version `current`, and no more versions than are needed. */
export function promoted(shelf: Shelf, token: string): Shelf {
  const { current, pending, previous, ...rest } = shelf;
  const before = current === token || current === undefined ? previous : current;
  const isBack = before === token;
  const next: Shelf = {
    ...rest,
    current: token,
    ...(before === undefined || isBack ? {} : { previous: before }),
    ...(pending === undefined || pending === token ? {} : { pending }),
  };
  // The version that was previous until now makes room at once.
  const dropped = previous !== undefined && previous !== before ? without(next, previous) : next;
  return pruned(dropped);
}

/** Without all but the latest of the versions at no stage. */
export function pruned(shelf: Shelf): Shelf {
  const idle = Object.entries(shelf.versions)
    .filter(([token]) => !isAt(shelf, token, 'current', 'pending', 'previous'))
    .toSorted(([, one], [, other]) => other.at.localeCompare(one.at));
  return idle.slice(SPARE).reduce((left, [token]) => without(left, token), shelf);
}

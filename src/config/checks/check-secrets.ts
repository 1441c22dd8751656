import { dirname } from 'node:path';
import type { OtherEntry } from '../../facts/config/config-policy-facts.ts';
import { type Fact, fact } from '../../facts/fact.ts';
import { type Path, renderPath } from '../config-error.ts';
import type { Field, SecretName } from '../policy.ts';
import type { Review } from '../review.ts';
import { isSameSecret, type PhysicalSecret, sharesVersions } from '../values/physical-secret.ts';

/** One field of a destination with the secret it goes to. */
export interface MappedField {
  readonly field: Field;
  readonly name: SecretName;
  readonly secret: PhysicalSecret;
  readonly path: Path;
  /** Path of the destination. */
  readonly destination: Path;
}

/**
 * Checks that no two fields write the same secret or key, in whatever policy, and that what has one
 * version belongs to one destination. Promoting one draft would else promote that of the other.
 */
export function checkSecrets(review: Review, fields: readonly MappedField[]): void {
  const written = new Map<string, MappedField[]>();
  const reported = new Set<string>();
  for (const field of fields) {
    const { versioned } = field.secret;
    const others = (written.get(versioned) ?? []).filter((other) =>
      sharesVersions(field.secret, other.secret),
    );
    written.set(versioned, [...(written.get(versioned) ?? []), field]);
    const clash = clashOf(review, field, others);
    if (clash === undefined) continue;
    // Two destinations that share one secret are reported once, not for every field.
    const pair = `${renderPath(field.destination)} ${renderPath(clash.other.destination)}`;
    if (clash.fact.code !== 'secret-written-twice' && reported.has(pair)) continue;
    reported.add(pair);
    review.report(field.path, clash.fact);
  }
  checkFolders(review, fields);
}

interface Clash {
  readonly other: MappedField;
  readonly fact: Fact;
}

function clashOf(review: Review, field: MappedField, others: readonly MappedField[]): Clash | undefined {
  if (others.length === 0) return undefined;
  const name = review.shown(field.path);
  const same = others.filter((other) => isSameSecret(field.secret, other.secret));
  const twice = same.find((other) => other.name.key === field.name.key);
  if (twice !== undefined) {
    const other = entryOf(review, twice);
    return { other: twice, fact: fact('secret-written-twice', { name, other }) };
  }
  const isWhole = field.name.key === undefined;
  const mixed = same.find((other) => (other.name.key === undefined) !== isWhole);
  if (mixed !== undefined) {
    const other = entryOf(review, mixed);
    return { other: mixed, fact: fact('secret-whole-and-by-key', { name, other }) };
  }
  const foreign = others.find((other) => !isSamePath(other.destination, field.destination));
  if (foreign !== undefined) {
    const shared = isSameSecret(field.secret, foreign.secret) ? 'secret' : 'folder';
    const params = { name, shared, other: entryOf(review, foreign) } as const;
    return { other: foreign, fact: fact('secret-of-other-destination', params) };
  }
  const respelt = same.find((other) => other.name.secret !== field.name.secret);
  if (respelt === undefined) return undefined;
  const other = entryOf(review, respelt);
  return { other: respelt, fact: fact('secret-spelt-differently', { name, other }) };
}

/** In a file store a secret is a file, and so cannot be the folder of others. */
function checkFolders(review: Review, fields: readonly MappedField[]): void {
  const files = new Map(fields.map((field) => [field.secret.id, field]));
  const reported = new Set<MappedField>();
  for (const field of fields) {
    // On AWS a name with slashes is no path, and may be the beginning of another one.
    if (field.secret.versioned === field.secret.id) continue;
    for (let folder = dirname(field.secret.id); folder !== dirname(folder); folder = dirname(folder)) {
      const file = files.get(folder);
      if (file === undefined || reported.has(file)) continue;
      reported.add(file);
      const params = { name: review.shown(file.path), other: entryOf(review, field) };
      review.report(file.path, fact('secret-is-folder', params));
    }
  }
}

function entryOf(review: Review, { path }: MappedField): OtherEntry {
  const place = review.placeOf(path);
  return { path: renderPath(path), ...(place === undefined ? {} : { place }) };
}

function isSamePath(one: Path, other: Path): boolean {
  return renderPath(one) === renderPath(other);
}

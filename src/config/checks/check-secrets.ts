import { dirname } from 'node:path';
import { type Path, renderPath, renderPlace } from '../config-error.ts';
import type { Field, SecretName } from '../policy.ts';
import type { Draft } from '../schema/draft.ts';
import { isSameSecret, type PhysicalSecret, sharesVersions } from '../values/physical-secret.ts';
import { find } from '../yaml/located.ts';

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
 * Checks that no two fields, of whatever policies, write the same secret or key, and that what has one version
 * belongs to one destination: else promoting the one would publish the draft of the other.
 */
export function checkSecrets(draft: Draft, fields: readonly MappedField[]): void {
  const written = new Map<string, MappedField[]>();
  const reported = new Set<string>();
  for (const field of fields) {
    const { versioned } = field.secret;
    const others = (written.get(versioned) ?? []).filter((other) =>
      sharesVersions(field.secret, other.secret),
    );
    written.set(versioned, [...(written.get(versioned) ?? []), field]);
    const clash = clashOf(draft, field, others);
    if (clash === undefined) continue;
    // Two destinations that share one secret would else be told so for every field.
    const pair = `${renderPath(field.destination)} ${renderPath(clash.other.destination)}`;
    if (!clash.sameName && reported.has(pair)) continue;
    reported.add(pair);
    draft.report(field.path, clash.message);
  }
  checkFolders(draft, fields);
}

interface Clash {
  readonly other: MappedField;
  readonly sameName: boolean;
  readonly message: string;
}

function clashOf(draft: Draft, field: MappedField, others: readonly MappedField[]): Clash | undefined {
  const quoted = draft.quote(field.path);
  const same = others.filter((other) => isSameSecret(field.secret, other.secret));
  const twice = same.find((other) => other.name.key === field.name.key);
  if (twice !== undefined) {
    const message = `${quoted} is written by ${whereIs(draft, twice)} already; must be a secret or key of its own`;
    return { other: twice, sameName: true, message };
  }
  const mixed = same.find((other) => (other.name.key === undefined) !== (field.name.key === undefined));
  if (mixed !== undefined) {
    const message = `${quoted} is written as a whole and by key, here and by ${whereIs(draft, mixed)}; must be one or the other`;
    return { other: mixed, sameName: false, message };
  }
  const foreign = others.find((other) => !isSamePath(other.destination, field.destination));
  if (foreign !== undefined) {
    const what = isSameSecret(field.secret, foreign.secret) ? 'the secret' : 'the folder';
    const message = `${what} of ${quoted} belongs to another destination, see ${whereIs(draft, foreign)}; must be one of its own, as its versions hold whatever is in it`;
    return { other: foreign, sameName: false, message };
  }
  const respelt = same.find((other) => other.name.secret !== field.name.secret);
  if (respelt === undefined) return undefined;
  const message = `${quoted} is the secret of ${whereIs(draft, respelt)} under another name; must be spelt alike`;
  return { other: respelt, sameName: false, message };
}

/** In a file store a secret is a file, and so cannot be the folder of others. */
function checkFolders(draft: Draft, fields: readonly MappedField[]): void {
  const files = new Map(fields.map((field) => [field.secret.id, field]));
  const reported = new Set<MappedField>();
  for (const field of fields) {
    // Ids on AWS are no paths; those with slashes have parents too, but there a secret can be anything's parent.
    if (field.secret.versioned === field.secret.id) continue;
    for (let folder = dirname(field.secret.id); folder !== dirname(folder); folder = dirname(folder)) {
      const file = files.get(folder);
      if (file === undefined || reported.has(file)) continue;
      reported.add(file);
      draft.report(
        file.path,
        `${draft.quote(file.path)} is also the folder of ${whereIs(draft, field)}; must be a file or a folder`,
      );
    }
  }
}

function whereIs(draft: Draft, { path }: MappedField): string {
  const place = find(draft.tree, path)?.place;
  return place === undefined ? renderPath(path) : `${renderPath(path)} (${renderPlace(place)})`;
}

function isSamePath(one: Path, other: Path): boolean {
  return renderPath(one) === renderPath(other);
}

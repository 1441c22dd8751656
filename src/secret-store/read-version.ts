import type { Fields, Stage, Version } from './secret-store.ts';

/**
 * Reads a version that is spread over several units, each of which changes on its own: a secret on
 * AWS, a folder in a file store. `read` gives what one unit has at a stage, without a pending
 * version that is current there already. `token` is the version that is looked for, where a unit
 * cannot distinguish several by itself.
 *
 * A version that is current in some units and pending in others had its promotion stopped halfway.
 * It still is pending, as a whole: so whoever goes on finds the password that was staged, and not a
 * part of it.
 */
export async function readVersion<Unit>(
  units: readonly Unit[],
  stage: Stage,
  read: (unit: Unit, stage: Stage, token?: string) => Promise<Version | undefined>,
): Promise<Version | undefined> {
  const parts = await Promise.all(units.map((unit) => read(unit, stage)));
  const token = joinParts(parts)?.token;
  if (stage !== 'pending' || token === undefined) return joinParts(parts);
  const whole = parts.map(async (part, index) => {
    const unit = units[index];
    if (part !== undefined || unit === undefined) return part;
    const current = await read(unit, 'current', token);
    return current?.token === token ? current : undefined;
  });
  return joinParts(await Promise.all(whole));
}

/**
 * One version of what its parts have; their token, if they share it. Parts without a mapped field
 * do not count.
 */
export function joinParts(parts: readonly (Version | undefined)[]): Version | undefined {
  const found = parts
    .filter((part) => part !== undefined)
    .filter(({ fields }) => Object.keys(fields).length > 0);
  const [first] = found;
  if (first === undefined) return undefined;
  const fields: Fields = Object.assign({}, ...found.map((part) => part.fields));
  return {
    token: found.every(({ token }) => token === first.token) ? first.token : undefined,
    fields,
    ...(found.some(({ edited }) => edited) ? { edited: true } : {}),
  };
}

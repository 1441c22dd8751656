import type { RolesContext } from './roles-context.ts';

/** A level of access and the schemas for which it was chosen. Null: privileges stay as they are. */
export interface Choice {
  readonly access: string | null;
  readonly schemas: readonly string[];
}

/**
 * What was chosen last. An owner has one level, so a later choice for another policy with the same
 * owner counts, if it covers all schemas of this policy. After a drop, earlier choices do not
 * count.
 */
export function lastChoice({
  remembered,
  sharing,
}: Pick<RolesContext, 'remembered' | 'sharing'>): Choice | undefined {
  const own = remembered?.kind === 'drop' ? undefined : remembered;
  if (!own || own.access === null) return newest(sharing) ?? own;
  const later = sharing.filter(
    ({ at, schemas }) => at > own.at && own.schemas.every((schema) => schemas.includes(schema)),
  );
  return { access: newest(later)?.access ?? own.access, schemas: own.schemas };
}

function newest(choices: RolesContext['sharing']): Choice | undefined {
  return choices.toSorted((one, other) => Number(other.at) - Number(one.at))[0];
}

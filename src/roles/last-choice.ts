import type { RolesContext } from './roles-context.ts';

/** A level of access, null where privileges were left as they were, and where it holds. */
export interface Choice {
  readonly access: string | null;
  readonly schemas: readonly string[];
}

/**
 * What was chosen last. An owner has one level, so a later choice for another policy that has it counts, unless that
 * says nothing of some schema of this one's. What was dropped begins anew.
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

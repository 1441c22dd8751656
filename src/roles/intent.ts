import type { Access } from './access.ts';

/** What the roles of a policy are meant to be. */
export interface Intent {
  readonly policy: string;
  readonly logins: readonly [string, string];
  readonly owner?: string;
  /** Null: whatever is granted stays as it is. */
  readonly access: Access | null;
  readonly schemas: readonly string[];
  /** Schemas that were chosen before, where nothing is granted any more. */
  readonly former: readonly string[];
  /** Roles that create tables in these schemas: the owners of other policies of the same database. */
  readonly creators: readonly string[];
}

/** To whom privileges are granted: the owner stands for both logins. */
export function granteesOf({ logins, owner }: Pick<Intent, 'logins' | 'owner'>): readonly string[] {
  return owner === undefined ? logins : [owner];
}

export function rolesOf({ logins, owner }: Pick<Intent, 'logins' | 'owner'>): readonly string[] {
  return owner === undefined ? logins : [owner, ...logins];
}

import type { Access } from './access.ts';

/** What the roles of a policy are meant to be. */
export interface Intent {
  readonly policy: string;
  readonly logins: readonly [string, string];
  readonly owner?: string;
  /** Null: privileges stay as they are. */
  readonly access: Access | null;
  readonly schemas: readonly string[];
  /** Schemas that were chosen before. What was granted there is revoked. */
  readonly former: readonly string[];
  /** Roles that create tables in these schemas: owners of other policies in the database. */
  readonly creators: readonly string[];
}

/** The roles to which privileges are granted. The owner stands for both logins. */
export function granteesOf({ logins, owner }: Pick<Intent, 'logins' | 'owner'>): readonly string[] {
  return owner === undefined ? logins : [owner];
}

export function rolesOf({ logins, owner }: Pick<Intent, 'logins' | 'owner'>): readonly string[] {
  return owner === undefined ? logins : [owner, ...logins];
}

/** What the ledger keeps of an action that changed roles. */
export interface RoleActionFacts {
  /** `access` is the level that the roles are meant to have; null: it was left as it was. */
  readonly 'roles-changed': {
    readonly changes: number;
    readonly access: string | null;
    readonly schemas: readonly string[];
  };
  readonly 'roles-dropped': { readonly dropped: readonly string[]; readonly deactivated: readonly string[] };
}

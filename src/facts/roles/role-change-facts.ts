/** Things of one kind on which privileges are granted together. */
export interface GrantTarget {
  readonly kind: 'schema' | 'table' | 'sequence' | 'future tables' | 'future sequences';
  readonly schema: string;
  readonly owner: string;
  readonly count: number;
  /**
   * The first few names, without their schema; none for a schema, and for what does not exist yet.
   */
  readonly names: readonly string[];
}

export interface NamedRole {
  readonly kind: 'login' | 'owner';
  readonly role: string;
}

/** Objects that change hands. */
export interface HandedOver {
  readonly from: string;
  readonly to: string;
  readonly count: number;
  readonly examples: readonly string[];
}

interface Privileges {
  readonly privileges: readonly string[];
  readonly on: GrantTarget;
  readonly grantee: string;
}

/** What one change of roles does. Nothing here says whether it was done. */
export interface RoleChangeFacts {
  readonly 'create-role': NamedRole;
  readonly 'drop-role': NamedRole;
  readonly 'grant-admin-option': { readonly rotator: string; readonly role: string };
  readonly 'grant-membership': { readonly role: string; readonly member: string };
  /** The standby is made a member of a role, because the published login is one. */
  readonly 'copy-membership': { readonly role: string; readonly member: string; readonly like: string };
  readonly 'revoke-membership': { readonly role: string; readonly member: string; readonly unlike: string };
  readonly 'set-default-role': { readonly login: string; readonly owner: string };
  readonly 'grant-connect': { readonly logins: readonly string[]; readonly database: string };
  readonly 'grant-privileges': Privileges;
  readonly 'revoke-privileges': Privileges;
  readonly 'enable-login': { readonly login: string };
  readonly 'disable-login': { readonly login: string };
  readonly 'remove-past-expiry': { readonly login: string };
  /** `until` is in ISO 8601. */
  readonly 'remove-expiry': { readonly login: string; readonly until: string };
  readonly 'remove-connection-limit': { readonly login: string; readonly limit: number };
  readonly 'set-connection-limit': { readonly login: string; readonly limit: number; readonly like: string };
  readonly 'hand-over-objects': HandedOver;
}

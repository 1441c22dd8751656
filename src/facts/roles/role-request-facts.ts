import type { Fact } from '../fact.ts';

/** Why what was asked for cannot be, whatever the rotator may do. */
export interface RoleRequestFacts {
  readonly 'owner-level-without-owner': { readonly policy: string };
  readonly 'access-level-unknown': { readonly access: string; readonly levels: readonly string[] };
  readonly 'role-name-unsuitable': { readonly role: string };
  /** One problem for each role, with the path to it from the top of the configuration. */
  readonly 'roles-not-creatable': {
    readonly problems: readonly {
      readonly path: readonly (string | number)[];
      readonly fact: Fact;
    }[];
  };
  readonly 'schemas-missing': { readonly schemas: readonly string[] };
  readonly 'rotator-policy-without-roles': { readonly policy: string };
  readonly 'platform-unknown': { readonly platform: string; readonly platforms: readonly string[] };
  readonly 'neon-unsupported': Record<string, never>;
  readonly 'heroku-unsupported': Record<string, never>;
  readonly 'rotator-connection-unknown': {
    readonly connection: string;
    readonly connections: readonly string[];
  };
  readonly 'rotator-connection-ambiguous': { readonly connections: readonly string[] };
  readonly 'rotator-not-needed': Record<string, never>;
  readonly 'drop-confirmed-wrongly': { readonly policy: string };
}

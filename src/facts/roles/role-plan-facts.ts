import type { SeenUse } from '../rotation/use-facts.ts';
import type { GrantTarget } from './role-change-facts.ts';

/** What a plan leaves as it is, and what it warns of. */
export interface RolePlanFacts {
  /** The published login was gone, and is made again without its password. */
  readonly 'published-login-recreated': { readonly login: string; readonly policy: string };
  readonly 'standby-left-to-rotation': { readonly login: string };
  readonly 'standby-in-use': SeenUse & { readonly published: string };
  /** The policy has no owner to which the objects could be handed over. */
  readonly 'objects-without-owner': { readonly role: string; readonly count: number };
  readonly 'objects-in-other-database': {
    readonly role: string;
    readonly count: number;
    readonly database: string;
  };
  /** Objects that `repair` would hand over to the owner. */
  readonly 'objects-of-login': { readonly role: string; readonly count: number; readonly owner: string };
  /** Privileges on what belongs to superusers, which the rotator cannot grant. */
  readonly 'privileges-left-to-superuser': {
    readonly policy: string;
    readonly owners: readonly string[];
    /** How many changes. */
    readonly count: number;
  };
  readonly 'privileges-beyond-level': {
    readonly grantee: string;
    readonly privileges: readonly string[];
    readonly on: GrantTarget;
    readonly access: string;
    readonly policy: string;
  };
  /** Whoever owns a table may do everything with it, whatever was granted. */
  readonly 'level-without-effect': { readonly grantee: string; readonly count: number };
  readonly 'default-privileges-beyond-level': {
    readonly grantee: string;
    readonly privileges: readonly string[];
    readonly kind: 'future tables' | 'future sequences';
    readonly creator: string;
  };
  readonly 'public-privileges': {
    readonly privileges: readonly string[];
    readonly on: GrantTarget;
    readonly logins: readonly string[];
  };
  /** No level was ever chosen for roles that exist. */
  readonly 'access-never-chosen': { readonly policy: string };
  readonly 'owner-level-shared': {
    readonly owner: string;
    readonly access: string;
    readonly schemas: readonly string[];
    readonly otherPolicy: string;
    readonly otherAccess: string;
  };
}

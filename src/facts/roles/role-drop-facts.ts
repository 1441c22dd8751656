import type { Fact } from '../fact.ts';
import type { SeenUse } from '../rotation/use-facts.ts';
import type { NamedRole } from './role-change-facts.ts';

/** Why `roles drop` refuses, and what it made of each role. */
export interface RoleDropFacts {
  readonly 'drop-login-of-other-policy': { readonly login: string; readonly policy: string };
  readonly 'drop-login-published': {
    readonly login: string;
    readonly destination: string;
    readonly policy: string;
  };
  readonly 'drop-during-rotation': { readonly policy: string; readonly rotation: string };
  readonly 'drop-login-in-use': SeenUse;
  readonly 'drop-sessions-starting': { readonly logins: readonly string[]; readonly pids: readonly number[] };
  readonly 'drop-without-owner': {
    readonly role: string;
    readonly count: number;
    /** Null: shared by all databases. */
    readonly database: string | null;
    readonly examples: readonly string[];
  };
  readonly 'drop-owner-missing': { readonly owner: string };
  readonly 'hand-over-forbidden': { readonly from: string; readonly to: string; readonly detail: string };
  readonly 'hand-over-incomplete': { readonly role: string; readonly examples: readonly string[] };
  readonly 'objects-made-during-drop': { readonly role: string; readonly objects: readonly string[] };
  /** The logins were disabled before this came up. */
  readonly 'drop-stopped': { readonly logins: readonly string[]; readonly cause: Fact };
  readonly 'role-already-gone': NamedRole;
  /** What else needs a login, in PostgreSQL's words; empty where PostgreSQL does not say. */
  readonly 'deactivate-login': { readonly login: string; readonly dependents: readonly string[] };
  readonly 'owner-kept-as-found': { readonly owner: string };
  readonly 'owner-kept-for-policy': { readonly owner: string; readonly policy: string };
  readonly 'owner-kept-for-objects': {
    readonly owner: string;
    /** Null: shared by all databases. */
    readonly objects: readonly { readonly count: number; readonly database: string | null }[];
  };
  readonly 'owner-kept-for-members': { readonly owner: string; readonly members: readonly string[] };
  /** In PostgreSQL's words; empty where PostgreSQL does not say. */
  readonly 'owner-kept-for-dependents': { readonly owner: string; readonly dependents: readonly string[] };
  readonly 'secrets-kept': Record<string, never>;
}

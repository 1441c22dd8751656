import type { HolderInfo } from '../database/session-info.ts';
import type { Fact } from '../fact.ts';

/** What keeps changes of roles from being made, though they were asked for rightly. */
export interface RoleRefusalFacts {
  readonly 'roles-changed-since-shown': { readonly policy: string };
  /** `detail` is what PostgreSQL says. */
  readonly 'role-change-failed': { readonly change: Fact; readonly detail: string };
  readonly 'role-changes-without-effect': { readonly changes: readonly Fact[] };
  readonly 'roles-locked': { readonly logins: readonly string[]; readonly cause: Fact };
  readonly 'roles-lock-timeout': { readonly seconds: number; readonly cause: Fact };
  readonly 'roles-changed-concurrently': { readonly cause: Fact };
  /**
   * Another session changes roles in this database. `holders` is empty where nobody can be named.
   */
  readonly 'roles-turn-taken': { readonly holders: readonly HolderInfo[] };
  readonly 'roles-on-standby-server': { readonly connection: string };
  readonly 'roles-last-choice-unknown': { readonly cause: Fact };
  readonly 'roles-pgbouncer-silent': { readonly connection: string; readonly cause: Fact };
}

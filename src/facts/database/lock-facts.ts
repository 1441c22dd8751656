import type { ReplicaInfo } from './server-facts.ts';
import type { HolderInfo } from './session-info.ts';

/** About locks on logins, and about seeing and ending the sessions of others. */
export interface LockFacts {
  /** Another session has the lock of these logins. */
  readonly 'lock-held': {
    readonly logins: readonly string[];
    readonly seconds: number;
    readonly holders: readonly HolderInfo[];
  };
  /** The session that had the lock of the logins ended. */
  readonly 'lock-lost': Readonly<Record<never, never>>;
  /** Somebody altered the login in a transaction that is still open. */
  readonly 'login-row-locked': { readonly login: string; readonly holders: readonly HolderInfo[] };
  /**
   * The rotator may not see the sessions of other roles, so no count of them would be true (G6).
   */
  readonly 'sessions-hidden': { readonly rotator: string; readonly replica?: ReplicaInfo };
}

import type { LoginDifferenceInfo } from '../database/login-difference.ts';

/** About a policy's logins themselves: whether they exist, can log in, and differ. */
export interface LoginFacts {
  readonly 'owner-missing': { readonly owner: string; readonly policy: string };
  readonly 'logins-missing': { readonly logins: readonly string[]; readonly policy: string };
  /** The login that goes out was dropped or renamed. */
  readonly 'published-login-missing': { readonly login: string; readonly incoming: string };
  readonly 'login-expired': { readonly login: string };
  readonly 'login-connection-limit-zero': { readonly login: string };
  readonly 'login-may-not-connect': { readonly login: string; readonly database: string };
  readonly 'login-not-member-of-owner': { readonly login: string; readonly owner: string };
  /** It is a member, but one without SET. */
  readonly 'login-may-not-set-role': { readonly login: string; readonly owner: string };
  readonly 'login-creates-as-itself': { readonly login: string; readonly owner: string };
  readonly 'logins-differ': { readonly differences: readonly LoginDifferenceInfo[] };
  /** Where no rotation comes by itself: it expires in less than so many days. */
  readonly 'login-expires-soon': {
    readonly login: string;
    readonly validUntil: string;
    readonly days: number;
  };
  /** It expires before the rotation of a slot has drained. */
  readonly 'login-expires-before-drained': {
    readonly login: string;
    readonly validUntil: string;
    readonly slot: string;
  };
  /** The other login has another VALID UNTIL, or none. */
  readonly 'login-expires-alone': { readonly login: string; readonly validUntil: string };
}

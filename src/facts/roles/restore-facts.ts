import type { Fact } from '../fact.ts';

/** What `keyturn restore` does, and why it refuses. */
export interface RestoreFacts {
  readonly 'restore-during-rotation': { readonly policy: string; readonly rotation: string };
  readonly 'restore-of-rotator': { readonly policy: string; readonly login: string };
  readonly 'restore-foreign-username': {
    readonly destination: string;
    readonly username: string;
    readonly logins: readonly string[];
  };
  readonly 'restore-altered-version': { readonly destination: string };
  readonly 'restore-older-version': { readonly destination: string; readonly rotation: string };
  readonly 'restore-sets-password': { readonly login: string; readonly destination: string };
  readonly 'restore-in-vain': { readonly login: string; readonly cause: Fact };
  readonly 'restore-replica-refuses': {
    readonly login: string;
    readonly replica: string;
    readonly cause: Fact;
  };
}

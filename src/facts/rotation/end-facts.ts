/** About how a rotation ends or goes back, and why it cannot. */
export interface EndFacts {
  readonly 'rotation-cancelled': { readonly by: string };
  readonly 'rotation-rolled-back': { readonly by: string };
  /** Somebody else ended the rotation, or turned it round, since this run began. */
  readonly 'rotation-superseded': { readonly rotation: string };
  readonly 'cancel-after-publish': {
    readonly rotation: string;
    readonly destination: string;
    /** Whether it ends by itself, and cannot be rolled back. */
    readonly endsByItself: 'emergency' | 'rolled-back' | null;
  };
  readonly 'cancel-after-set': { readonly rotation: string; readonly login: string };
  readonly 'rollback-of-rotator': { readonly policy: string };
  readonly 'rollback-begun-already': { readonly rotation: string; readonly by: string };
  readonly 'rollback-of-emergency': { readonly rotation: string };
  readonly 'rollback-before-publish': { readonly rotation: string };
  readonly 'rollback-after-revoke': { readonly login: string };
  readonly 'rollback-without-version': { readonly destination: string };
  readonly 'rollback-to-different-versions': { readonly policy: string };
}

/** What a part of the script that makes a rotator is for. */
export type RotatorScriptPart =
  | 'role'
  | 'login'
  | 'sessions'
  | 'reserved-connections'
  | 'passwords'
  | 'admin-option'
  | 'connect'
  | 'pass-on';

/** What `roles rotator` prints around its statements, and what it says of them. */
export interface RotatorScriptFacts {
  /** `platform` is null where a superuser runs the script. */
  readonly 'rotator-script': {
    readonly connection: string;
    readonly database: string;
    readonly platform: string | null;
  };
  readonly 'rotator-script-part': { readonly part: RotatorScriptPart };
  readonly 'rotator-password-not-ascii': { readonly connection: string };
  readonly 'rotator-password-rotated': { readonly policy: string; readonly user: string };
}

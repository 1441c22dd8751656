import type { Inexpressible } from '../inexpressible.ts';
import type { Place, Shown } from '../problem.ts';

/** Another entry of the configuration, and where it stands. */
export interface OtherEntry {
  readonly path: string;
  readonly place?: Place;
}

type Field = 'username' | 'password';

/** The types of stores, as the configuration names them. */
export const STORE_TYPES = [
  'file',
  'aws-secrets-manager',
  'aws-parameter-store',
  'vault',
  'kubernetes',
  'module',
] as const;
export type StoreType = (typeof STORE_TYPES)[number];

/** About policies: their logins, times, and what they publish where. */
export interface ConfigPolicyFacts {
  readonly 'login-repeated': { readonly login: Shown };
  readonly 'login-in-two-policies': {
    readonly login: Shown;
    readonly policy: string;
    readonly other: OtherEntry;
  };
  readonly 'login-is-rotator': { readonly login: Shown; readonly connection: string };
  readonly 'owner-is-login': { readonly owner: Shown; readonly policy: string };
  readonly 'rotator-key-useless': { readonly key: string };
  readonly 'rotator-embedded': { readonly connection: Shown };
  readonly 'rotator-rotated-twice': { readonly connection: Shown; readonly policy: string };
  readonly 'rotator-holds-state': { readonly connection: Shown };
  readonly 'schedule-ambiguous': Record<string, never>;
  readonly 'schedule-empty': Record<string, never>;
  /** `every` is there where the interval is one of hours or less. */
  readonly 'time-of-day-useless': { readonly every?: Shown };
  /** Durations as they are written; `default`: it is not written at all. */
  readonly 'longer-than-interval': { readonly duration: Duration; readonly interval?: string };
  readonly 'grace-longer-than-timeout': { readonly grace: Duration; readonly timeout: Duration };
  readonly 'destination-fields-missing': {
    readonly missing: readonly Field[];
    readonly isPrimary: boolean;
    /** The primary maps a userlist, from which no password can be read. */
    readonly userlist: boolean;
  };
  /** A format cannot hold a login so that all its readers read the same. */
  readonly 'field-not-expressible': Inexpressible & { readonly field: string };
  /** A key of `format` for fields that the destination does not map. */
  readonly 'format-without-field': { readonly key: string; readonly fields: readonly string[] };
  readonly 'secret-name-invalid': {
    readonly name: Shown;
    readonly store: StoreType;
  };
  readonly 'secret-written-twice': { readonly name: Shown; readonly other: OtherEntry };
  readonly 'secret-whole-and-by-key': { readonly name: Shown; readonly other: OtherEntry };
  readonly 'secret-of-other-destination': {
    readonly name: Shown;
    readonly shared: 'folder' | 'secret';
    readonly other: OtherEntry;
  };
  readonly 'secret-spelt-differently': { readonly name: Shown; readonly other: OtherEntry };
  /** Of a store of type module: a file that keyturn does not run. */
  readonly 'store-module-unsafe': {
    readonly module: string;
    readonly why: 'absent' | 'outside' | 'owner' | 'writable';
  };
  readonly 'secret-is-folder': { readonly name: Shown; readonly other: OtherEntry };
  /** A warning: AWS removes versions more slowly than the schedule makes them. */
  readonly 'schedule-too-fast-for-aws': Record<string, never>;
  /** A warning: who reads this store can do what keyturn can. */
  readonly 'rotator-secret-shared': { readonly group: string | null };
  /** A warning: username and password do not change at one instant. */
  readonly 'credential-in-two-secrets': { readonly store: StoreType };
}

export type Duration =
  | { readonly kind: 'default'; readonly text: string }
  | { readonly kind: 'written'; readonly value: Shown };

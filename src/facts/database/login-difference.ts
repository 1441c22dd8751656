/** What `ALTER ROLE … [IN DATABASE …] SET …` says. */
export interface SettingInfo {
  /** Null: in every database. */
  readonly database: string | null;
  readonly name: string;
  readonly value: string;
}

/**
 * In what two logins of a policy differ as roles. `login` has it, and `other` has not, or has
 * another.
 */
export type LoginDifferenceInfo = { readonly login: string; readonly other: string } & (
  | { readonly kind: 'attribute'; readonly attribute: string }
  | { readonly kind: 'membership'; readonly role: string }
  | { readonly kind: 'setting'; readonly setting: SettingInfo }
  | { readonly kind: 'setting-value'; readonly setting: SettingInfo; readonly otherValue: string }
  /** `limit` is the lower one; null: there is none. */
  | {
      readonly kind: 'connection-limit';
      readonly limit: number | null;
      readonly otherLimit: number | null;
    }
);

/**
 * What only one of two logins may do in a database. Names of objects are quoted as SQL needs it.
 */
export type GrantDifferenceInfo = { readonly login: string } & (
  | {
      readonly kind: 'grant';
      readonly privileges: string;
      /** `TABLE`, `SEQUENCE`, `SCHEMA`, `ROUTINE` */
      readonly objects: string;
      readonly names: string;
    }
  | {
      readonly kind: 'default-grant';
      readonly privileges: string;
      /** `TABLES`, `SEQUENCES`, … */
      readonly objects: string;
      /** Whose objects to come it is about. */
      readonly creator: string;
      /** Null: in every schema. */
      readonly schema: string | null;
    }
  /** A row security policy names the login: `"own rows" ON public.orders`. */
  | { readonly kind: 'row-policy'; readonly policy: string }
  | { readonly kind: 'user-mapping'; readonly server: string }
);

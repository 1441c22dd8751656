/** What brings the roles of a policy nearer to what they must be: complete SQL, and the rights that it takes. */
export interface Change {
  /** One line in the present tense, for instance `makes the login orders_api_a`. */
  readonly what: string;
  /** One statement, or several that belong together; quoted, and without the last semicolon. */
  readonly sql: string;
  /** Roles whose rights it takes, such as the owner of a table; left out: the rotator's own do. */
  readonly rights?: readonly string[];
  /** Roles that it makes others members of. */
  readonly administers?: readonly string[];
  /** What an administrator can give the rotator instead of those rights. `to` is the quoted rotator. */
  readonly instead?: { readonly what: string; readonly remedy: (to: string) => string };
}

/** About how a command was used. */
export interface CommandFacts {
  /** A connection that keyturn still has to reach. */
  readonly 'connection-not-configured': { readonly connection: string };
}

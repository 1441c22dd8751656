/**
 * What puts a fact right, as data. Advice in plain words is not here: it belongs to the code, in
 * src/messages/.
 */
export type Remedy =
  /** Statements that a role with the right to do so runs one by one, as they are. */
  | { readonly kind: 'sql'; readonly statements: readonly string[]; readonly as?: string }
  /** A keyturn command line, without quotes around it. */
  | { readonly kind: 'command'; readonly command: string }
  /** A key of the configuration, such as `connections.orders-db.replicas`. */
  | { readonly kind: 'config'; readonly path: string };

/** Statements to run, by whoever administers the server. */
export function sql(...statements: readonly string[]): Remedy {
  return { kind: 'sql', statements };
}

/** A keyturn command, such as `keyturn rotate orders`. */
export function command(...words: readonly string[]): Remedy {
  return { kind: 'command', command: ['keyturn', ...words].join(' ') };
}

/** How often tables that another process makes at the same instant are looked for again. */
const ATTEMPTS = 5;

/**
 * Runs `make`, a transaction that makes or updates tables, and again where another process has just
 * made the same ones. `IF NOT EXISTS` does not see what is not committed. Nor does it see what was
 * committed while this transaction waited for a lock, where the session has asked for it before.
 */
export async function besideOthers<T>(make: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await make();
    } catch (error) {
      if (!isMadeByAnother(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** unique_violation in a catalog, duplicate_schema, duplicate_table. */
function isMadeByAnother(error: unknown): boolean {
  return ['23505', '42P06', '42P07'].includes(String((error as { code?: unknown }).code));
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process. Everything else gets it from here. */
export const environment: Environment = { ...process.env };

/**
 * Removes libpq's variables from the environment. pg reads them wherever an option is empty, in
 * BullMQ's sessions too, and some options cannot be set to nothing (PGOPTIONS, PGREPLICATION).
 * `environment` keeps them, for `${PGPASSWORD}` in a configuration. DEBUG goes too: with it the
 * Redis client prints each command, and AUTH with its password. The client reads it when it is
 * loaded, which is later.
 */
export function closeEnvironment(): void {
  for (const name of Object.keys(process.env)) {
    if (name.startsWith('PG') || name === 'DEBUG') delete process.env[name];
  }
}

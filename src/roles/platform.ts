import { fault } from '../facts/fault.ts';

/**
 * A service that runs PostgreSQL and keeps its superuser. docs/managed-postgres.md names the
 * sources.
 */
export interface Platform {
  readonly name: string;
  /** Whether altering passwords may take a right of its own. */
  readonly restrictsPasswords?: true;
}

const PLATFORMS: readonly Platform[] = [
  { name: 'rds', restrictsPasswords: true },
  { name: 'cloud-sql' },
  { name: 'azure' },
  { name: 'supabase' },
  { name: 'render' },
];

/** Where keyturn cannot work, and the code that says why. */
const UNSUPPORTED = { neon: 'neon-unsupported', heroku: 'heroku-unsupported' } as const;

export const PLATFORM_NAMES: readonly string[] = [
  ...PLATFORMS.map(({ name }) => name),
  ...Object.keys(UNSUPPORTED),
];

/**
 * What is different on a platform. Throws a fault for one that keyturn does not know, or where it
 * cannot work.
 */
export function platformOf(name: string): Platform {
  const platform = PLATFORMS.find((each) => each.name === name);
  if (platform) return platform;
  if (name === 'neon' || name === 'heroku') throw fault(UNSUPPORTED[name], {});
  throw fault('platform-unknown', { platform: name, platforms: PLATFORM_NAMES });
}

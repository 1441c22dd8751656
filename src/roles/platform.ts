import { RequestError } from './request-error.ts';

/** A service that runs PostgreSQL and keeps its superuser. docs/managed-postgres.md says from where this is known. */
export interface Platform {
  /** Who runs the script there. */
  readonly administrator: string;
  /** Whether altering passwords may take a right of its own. */
  readonly restrictsPasswords?: true;
}

const PLATFORMS: Readonly<Record<string, Platform | string>> = {
  rds: { administrator: 'the master user, a member of rds_superuser', restrictsPasswords: true },
  'cloud-sql': { administrator: 'postgres, or another member of cloudsqlsuperuser' },
  azure: { administrator: 'the server admin, a member of azure_pg_admin' },
  supabase: { administrator: 'postgres, over the direct connection and no pooler' },
  render: { administrator: 'the default user of the database' },
  // Where keyturn cannot work: why.
  neon: 'Neon takes passwords in plain text only, and keyturn gives PostgreSQL nothing but SCRAM-SHA-256 verifiers (G3), so it cannot rotate logins there; see docs/managed-postgres.md',
  heroku:
    'Heroku makes the credentials of Heroku Postgres and their passwords itself, so keyturn cannot rotate them; use: heroku pg:credentials:rotate, and see docs/managed-postgres.md',
};

export const PLATFORM_NAMES: readonly string[] = Object.keys(PLATFORMS);

/** What is different on a platform. Throws a RequestError for one that there is not, or where keyturn cannot work. */
export function platformOf(name: string): Platform {
  const platform = Object.hasOwn(PLATFORMS, name) ? PLATFORMS[name] : undefined;
  if (typeof platform === 'object') return platform;
  throw new RequestError(
    platform ?? `There is no platform ${JSON.stringify(name)}; choose ${PLATFORM_NAMES.join(', ')}`,
  );
}

/** What a superuser does to the standby login `s`, the active one `a`, the rotator `r`, the owner `o` or the database `d`. */
export const BREAKS: readonly [
  string,
  (names: Record<'s' | 'a' | 'r' | 'o' | 'd', string>) => string,
  ...RegExp[],
][] = [
  ['a login that is gone', ({ s }) => `DROP ROLE ${s}`, /^The login .* does not exist/],
  ['a login past its VALID UNTIL', ({ s }) => `ALTER ROLE ${s} VALID UNTIL '2020-01-01'`, /VALID UNTIL/],
  [
    'a VALID UNTIL of one login',
    ({ s }) => `ALTER ROLE ${s} VALID UNTIL '2100-01-01 00:00Z'`,
    /^only .* has VALID UNTIL 2100-01-01T00:00:00\.000Z: /,
  ],
  [
    'a VALID UNTIL of both logins, before the next rotation has drained',
    ({ a, s }) =>
      [a, s]
        .map(
          (role) =>
            `ALTER ROLE ${role} VALID UNTIL '${new Date(Date.now() + 25 * 86_400_000).toISOString()}'`,
        )
        .join('; '),
    /^nobody can log in as .* after its VALID UNTIL, .* which is over before the rotation of .* has drained/,
  ],
  ['a CONNECTION LIMIT of 0', ({ s }) => `ALTER ROLE ${s} CONNECTION LIMIT 0`, /CONNECTION LIMIT 0/],
  [
    'logins of another CONNECTION LIMIT each',
    ({ a, s }) => `ALTER ROLE ${a} CONNECTION LIMIT 7; ALTER ROLE ${s} CONNECTION LIMIT 9`,
    /CONNECTION LIMIT 7 and .* CONNECTION LIMIT 9/,
  ],
  [
    'logins that may not connect to the database',
    ({ d, r }) => `GRANT CONNECT ON DATABASE ${d} TO ${r}; REVOKE CONNECT ON DATABASE ${d} FROM PUBLIC`,
    /may not connect to the database/,
    /consumers that read .* are refused: .*permission denied for database/,
  ],
  ['attributes of one login', ({ a }) => `ALTER ROLE ${a} CREATEDB NOINHERIT`, /NOINHERIT.*CREATEDB/],
  ['a login that is a superuser', ({ s }) => `ALTER ROLE ${s} SUPERUSER`, /only .* SUPERUSER/],
  ['a membership of one login', ({ s }) => `GRANT pg_monitor TO ${s}`, /only .* member of pg_monitor/],
  [
    'logins that could take all connections of the server, the last for the rotator too',
    ({ a, s }) => `ALTER ROLE ${a} CONNECTION LIMIT -1; ALTER ROLE ${s} CONNECTION LIMIT -1`,
    /may take all \d+ connections of the server, and the rotator has none of its own/,
  ],
  [
    'settings of one login, of which one is a list',
    ({ a, d }) =>
      `ALTER ROLE ${a} SET work_mem = '8MB'; ALTER ROLE ${a} IN DATABASE ${d} SET search_path = "$user", "a ""b"", c", public`,
    /SET work_mem=8MB, only .* in database .* SET search_path="\$user", "a ""b"", c", public/,
  ],
  [
    'a setting of another value each',
    ({ a, s }) => `ALTER ROLE ${a} SET app.mode = 'it''s'; ALTER ROLE ${s} SET app.mode = 'two'`,
    /SET app\.mode=/,
  ],
  [
    'a login that is no member of its owner',
    ({ s, o }) => `REVOKE ${o} FROM ${s}`,
    /no[nt] .* member of its owner/,
  ],
  [
    'a login that does not act as its owner',
    ({ a }) => `ALTER ROLE ${a} RESET role`,
    /would not belong to the owner/,
  ],
  [
    'a login that acts as another role in this database',
    ({ s, d }) => `ALTER ROLE ${s} IN DATABASE ${d} SET role = ${s}`,
    /would not belong to the owner/,
  ],
  [
    'a login that may not become its owner',
    ({ s, o }) => `REVOKE ${o} FROM ${s}; GRANT ${o} TO ${s} WITH SET FALSE`,
    /may not SET ROLE to its owner .* though it is a member/,
  ],
  ['an owner that is gone', ({ o }) => `DROP OWNED BY ${o}; DROP ROLE ${o}`, /^The owner .* does not exist/],
  ['a rotator without CREATEROLE', ({ r }) => `ALTER ROLE ${r} NOCREATEROLE`, /may not alter logins/],
  ['a rotator without ADMIN OPTION', ({ r, s }) => `REVOKE ${s} FROM ${r}`, /may not alter /],
  [
    'sessions that the rotator may not see',
    ({ r }) => `REVOKE pg_read_all_stats FROM ${r}`,
    /may not see sessions/,
  ],
  [
    'sessions that the rotator may not end',
    ({ r }) => `REVOKE pg_signal_backend FROM ${r}`,
    /may not end sessions/,
  ],
  [
    'objects that belong to a login itself',
    ({ s, a }) =>
      `CREATE TABLE of_standby (id int); ALTER TABLE of_standby OWNER TO ${s}; CREATE SCHEMA of_active AUTHORIZATION ${a}`,
    /itself owns 1 object .*table public.of_standby/,
    /itself owns 1 object .*schema of_active/,
  ],
  [
    'a server that stores passwords as md5',
    () => `ALTER SYSTEM SET password_encryption = 'md5'; SELECT pg_reload_conf()`,
    /password_encryption of the server is md5/,
  ],
  [
    'a published password that was changed in PostgreSQL alone',
    ({ a }) => `ALTER ROLE ${a} PASSWORD 'another'`,
    /^consumers that read files \(primary\) are refused: .*password authentication failed/,
  ],
];

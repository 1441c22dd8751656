import { expect } from 'vitest';
import type { LoginDifferenceInfo } from '../../src/facts/database/login-difference.ts';
import { type Expected, expected } from './seen.ts';

/** What two logins differ in, and nothing else. */
function differing(...differences: readonly LoginDifferenceInfo[]): Expected {
  return expected('logins-differ', { differences });
}

/**
 * The standby login `s`, the active one `a`, the rotator `r`, the owner `o` and the database `d`.
 */
type Names = Record<'s' | 'a' | 'r' | 'o' | 'd', string>;

/**
 * What a superuser does, with names that are quoted for SQL, and which findings come of it, with
 * names as they are.
 */
export const BREAKS: readonly [string, (names: Names) => string, (names: Names) => readonly Expected[]][] = [
  [
    'a login that is gone',
    ({ s }) => `DROP ROLE ${s}`,
    ({ s }) => [expected('logins-missing', { logins: [s] })],
  ],
  [
    'a login past its VALID UNTIL',
    ({ s }) => `ALTER ROLE ${s} VALID UNTIL '2020-01-01'`,
    ({ s }) => [expected('login-expired', { login: s })],
  ],
  [
    'a VALID UNTIL of one login',
    ({ s }) => `ALTER ROLE ${s} VALID UNTIL '2100-01-01 00:00Z'`,
    ({ s }) => [expected('login-expires-alone', { login: s, validUntil: '2100-01-01T00:00:00.000Z' })],
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
    ({ a, s }) => [
      expected('login-expires-before-drained', { login: a, slot: expect.stringMatching(/Z$/) }),
      expected('login-expires-before-drained', { login: s, slot: expect.stringMatching(/Z$/) }),
    ],
  ],
  [
    'a CONNECTION LIMIT of 0',
    ({ s }) => `ALTER ROLE ${s} CONNECTION LIMIT 0`,
    ({ s }) => [expected('login-connection-limit-zero', { login: s })],
  ],
  [
    'logins of another CONNECTION LIMIT each',
    ({ a, s }) => `ALTER ROLE ${a} CONNECTION LIMIT 7; ALTER ROLE ${s} CONNECTION LIMIT 9`,
    ({ a, s }) => [differing({ kind: 'connection-limit', login: a, other: s, limit: 7, otherLimit: 9 })],
  ],
  [
    'logins that may not connect to the database',
    ({ d, r }) => `GRANT CONNECT ON DATABASE ${d} TO ${r}; REVOKE CONNECT ON DATABASE ${d} FROM PUBLIC`,
    ({ a, s, d }) => [
      expected('login-may-not-connect', { login: a, database: d }),
      expected('login-may-not-connect', { login: s, database: d }),
      expected('published-refused', {
        destination: 'files (primary)',
        cause: expect.objectContaining({ code: 'privilege-missing' }),
      }),
    ],
  ],
  [
    'attributes of one login',
    ({ a }) => `ALTER ROLE ${a} CREATEDB NOINHERIT`,
    ({ a, s }) => [
      differing(
        { kind: 'attribute', login: a, other: s, attribute: 'NOINHERIT' },
        { kind: 'attribute', login: a, other: s, attribute: 'CREATEDB' },
      ),
    ],
  ],
  [
    'a login that is a superuser',
    ({ s }) => `ALTER ROLE ${s} SUPERUSER`,
    ({ s, a }) => [differing({ kind: 'attribute', login: s, other: a, attribute: 'SUPERUSER' })],
  ],
  [
    'a membership of one login',
    ({ s }) => `GRANT pg_monitor TO ${s}`,
    ({ s, a }) => [differing({ kind: 'membership', login: s, other: a, role: 'pg_monitor' })],
  ],
  [
    'logins that could take all connections of the server, the last for the rotator too',
    ({ a, s }) => `ALTER ROLE ${a} CONNECTION LIMIT -1; ALTER ROLE ${s} CONNECTION LIMIT -1`,
    ({ a, s, r }) => [
      expected('connections-can-be-exhausted', {
        logins: [a, s].sort(),
        rotator: r,
        because: 'not-member',
        connections: expect.any(Number),
      }),
    ],
  ],
  [
    'settings of one login, of which one is a list',
    ({ a, d }) =>
      `ALTER ROLE ${a} SET work_mem = '8MB'; ALTER ROLE ${a} IN DATABASE ${d} SET search_path = "$user", "a ""b"", c", public`,
    ({ a, s, d }) => {
      const path = '"$user", "a ""b"", c", public';
      return [
        differing(
          ...[
            { database: null, name: 'work_mem', value: '8MB' },
            { database: d, name: 'search_path', value: path },
          ].map((setting) => ({ kind: 'setting', login: a, other: s, setting }) as const),
        ),
      ];
    },
  ],
  [
    'a setting of another value each',
    ({ a, s }) => `ALTER ROLE ${a} SET app.mode = 'it''s'; ALTER ROLE ${s} SET app.mode = 'two'`,
    ({ a, s }) => [
      // The policy's order of the logins decides which is named first.
      expected('logins-differ', {
        differences: [
          expect.toBeOneOf(
            [[a, s, "it's", 'two'] as const, [s, a, 'two', "it's"] as const].map(
              ([login, other, value, otherValue]) => ({
                kind: 'setting-value',
                ...{ login, other, otherValue },
                setting: { database: null, name: 'app.mode', value },
              }),
            ),
          ),
        ],
      }),
    ],
  ],
  [
    'a login that is no member of its owner',
    ({ s, o }) => `REVOKE ${o} FROM ${s}`,
    ({ s, o }) => [expected('login-not-member-of-owner', { login: s, owner: o })],
  ],
  [
    'a login that does not act as its owner',
    ({ a }) => `ALTER ROLE ${a} RESET role`,
    ({ a, o }) => [expected('login-creates-as-itself', { login: a, owner: o })],
  ],
  [
    'a login that acts as another role in this database',
    ({ s, d }) => `ALTER ROLE ${s} IN DATABASE ${d} SET role = ${s}`,
    ({ s, o }) => [expected('login-creates-as-itself', { login: s, owner: o })],
  ],
  [
    'a login that may not become its owner',
    ({ s, o }) => `REVOKE ${o} FROM ${s}; GRANT ${o} TO ${s} WITH SET FALSE`,
    ({ s, o }) => [expected('login-may-not-set-role', { login: s, owner: o })],
  ],
  [
    'an owner that is gone',
    ({ o }) => `DROP OWNED BY ${o}; DROP ROLE ${o}`,
    ({ o }) => [expected('owner-missing', { owner: o })],
  ],
  [
    'a rotator without CREATEROLE',
    ({ r }) => `ALTER ROLE ${r} NOCREATEROLE`,
    ({ r }) => [expected('rotator-lacks-privileges', { rotator: r, missing: [{ right: 'alter-logins' }] })],
  ],
  [
    'a rotator without ADMIN OPTION',
    ({ r, s }) => `REVOKE ${s} FROM ${r}`,
    ({ r, s }) => [
      expected('rotator-lacks-privileges', { rotator: r, missing: [{ right: 'alter-login', login: s }] }),
    ],
  ],
  [
    'sessions that the rotator may not see',
    ({ r }) => `REVOKE pg_read_all_stats FROM ${r}`,
    ({ r }) => [expected('rotator-lacks-privileges', { rotator: r, missing: [{ right: 'see-sessions' }] })],
  ],
  [
    'sessions that the rotator may not end',
    ({ r }) => `REVOKE pg_signal_backend FROM ${r}`,
    ({ r }) => [expected('rotator-lacks-privileges', { rotator: r, missing: [{ right: 'end-sessions' }] })],
  ],
  [
    'objects that belong to a login itself',
    ({ s, a }) =>
      `CREATE TABLE of_standby (id int); ALTER TABLE of_standby OWNER TO ${s}; CREATE SCHEMA of_active AUTHORIZATION ${a}`,
    ({ s, a, o, d }) => [
      expected('login-owns-objects', {
        login: s,
        other: a,
        owner: o,
        owned: [{ database: d, count: 1, examples: ['table public.of_standby'] }],
      }),
      expected('login-owns-objects', {
        login: a,
        other: s,
        owned: [{ database: d, count: 1, examples: ['schema of_active'] }],
      }),
    ],
  ],
  [
    'a server that stores passwords as md5',
    () => `ALTER SYSTEM SET password_encryption = 'md5'; SELECT pg_reload_conf()`,
    () => [expected('password-encryption-md5')],
  ],
  [
    'a published password that was changed in PostgreSQL alone',
    ({ a }) => `ALTER ROLE ${a} PASSWORD 'another'`,
    () => [
      expected('published-login-refused', {
        destination: 'files (primary)',
        wayOut: 'restore-or-rotate',
        rotation: null,
        cause: expect.objectContaining({ code: 'password-refused' }),
      }),
    ],
  ],
  [
    'a published login that was shut out in PostgreSQL alone',
    ({ a }) => `ALTER ROLE ${a} NOLOGIN`,
    () => [expected('published-login-refused', { wayOut: 'restore-or-rotate' })],
  ],
];

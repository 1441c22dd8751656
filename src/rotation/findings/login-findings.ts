import { quoteIdentifier } from '../../postgres/identifier.ts';
import { type Login, readLogins } from '../../postgres/login.ts';
import { loginDifferences } from '../../postgres/login-differences.ts';
import type { RotationView } from '../rotation-context.ts';
import type { Finding } from './finding.ts';

/** What is wrong with the logins themselves. Consumers must notice nothing but the name, so they may differ in nothing else. */
export async function loginFindings(view: RotationView): Promise<Finding[]> {
  const { logins, owner } = view.policy;
  const found = await readLogins(await view.rotator(), logins);
  const absent = logins.filter((login) => !found.has(login));
  if (absent.length > 0) {
    return [
      fail(
        `The login ${absent.join(' and the login ')} does not exist`,
        absent.map((login) => `CREATE ROLE ${quoteIdentifier(login)} NOLOGIN`),
      ),
    ];
  }
  const [first, second] = logins.map((login) => found.get(login)) as [Login, Login];
  return [
    ...[first, second].flatMap((login) => shutFindings(login, view.connection.database)),
    ...(owner === undefined ? [] : [first, second].flatMap((login) => ownerFindings(login, owner))),
    ...differenceFindings(first, second, owner),
  ];
}

function fail(text: string, sql: readonly string[]): Finding {
  return { level: 'fail', about: 'logins', text, sql };
}

/** Why a login could not log in, whatever its password. */
function shutFindings({ name, expired, connectionLimit, mayConnect }: Login, database: string): Finding[] {
  const role = quoteIdentifier(name);
  return [
    ...(expired
      ? [fail(`The login ${name} is past its VALID UNTIL`, [`ALTER ROLE ${role} VALID UNTIL 'infinity'`])]
      : []),
    ...(connectionLimit === 0
      ? [
          fail(`The login ${name} has CONNECTION LIMIT 0, so nobody can log in as it`, [
            `ALTER ROLE ${role} CONNECTION LIMIT -1`,
          ]),
        ]
      : []),
    ...(mayConnect
      ? []
      : [
          fail(`The login ${name} may not connect to the database ${database}`, [
            `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${role}`,
          ]),
        ]),
  ];
}

function ownerFindings({ name, memberOf, defaultRole }: Login, owner: string): Finding[] {
  const role = quoteIdentifier(name);
  return [
    ...(memberOf.includes(owner)
      ? []
      : [
          fail(`The login ${name} is not a member of its owner ${owner}`, [
            `GRANT ${quoteIdentifier(owner)} TO ${role}`,
          ]),
        ]),
    ...(defaultRole === owner
      ? []
      : [
          fail(`What ${name} creates would not belong to the owner ${owner}`, [
            `ALTER ROLE ${role} SET role = ${quoteIdentifier(owner)}`,
          ]),
        ]),
  ];
}

function differenceFindings(first: Login, second: Login, owner: string | undefined): Finding[] {
  // What concerns the owner is told above.
  const rest = ({ memberOf, settings, connectionLimit, ...login }: Login): Login => ({
    ...login,
    memberOf: memberOf.filter((role) => role !== owner),
    settings: settings.filter(({ name }) => owner === undefined || name !== 'role'),
    // So is a limit that lets nobody in.
    connectionLimit: connectionLimit === 0 ? -1 : connectionLimit,
  });
  const differences = loginDifferences(rest(first), rest(second));
  if (differences.length === 0) return [];
  return [
    fail(
      `The logins must differ in nothing but their names, but ${differences.map(({ what }) => what).join(', ')}`,
      differences.map(({ remedy }) => remedy),
    ),
  ];
}

import type { LoginDifferenceInfo } from '../../facts/database/login-difference.ts';
import { setStatement } from '../connection/set-statement.ts';
import { quoteIdentifier } from '../identifier.ts';
import type { Login, RoleSetting } from './login.ts';

/**
 * Something that one of two logins has and the other has not, and the statement that makes them
 * equal.
 */
export interface LoginDifference {
  readonly info: LoginDifferenceInfo;
  readonly remedy: string;
}

/**
 * In what two logins differ, except for their names, LOGIN and VALID UNTIL. The remedy gives the
 * other login the same. SUPERUSER is taken away instead, because no login that is rotated should
 * have it. Of two values the first login's wins, and of two limits the higher.
 */
export function loginDifferences(first: Login, second: Login): LoginDifference[] {
  return [
    ...pairwise(first, second, attributeDifferences),
    ...limitDifference(first, second),
    ...pairwise(first, second, membershipDifferences),
    ...pairwise(first, second, settingDifferences),
    ...valueDifferences(first, second),
  ];
}

type Compare = (one: Login, other: Login) => LoginDifference[];

function pairwise(first: Login, second: Login, compare: Compare): LoginDifference[] {
  return [...compare(first, second), ...compare(second, first)];
}

function difference(info: LoginDifferenceInfo, remedy: string): LoginDifference {
  return { info, remedy };
}

function attributeDifferences(one: Login, other: Login): LoginDifference[] {
  return one.attributes
    .filter((attribute) => !other.attributes.includes(attribute))
    .map((attribute) =>
      difference(
        { kind: 'attribute', login: one.name, other: other.name, attribute },
        attribute === 'SUPERUSER'
          ? `ALTER ROLE ${quoteIdentifier(one.name)} NOSUPERUSER`
          : `ALTER ROLE ${quoteIdentifier(other.name)} ${attribute}`,
      ),
    );
}

function limitDifference(first: Login, second: Login): LoginDifference[] {
  if (first.connectionLimit === second.connectionLimit) return [];
  const height = ({ connectionLimit }: Login) =>
    connectionLimit < 0 ? Number.POSITIVE_INFINITY : connectionLimit;
  const [low, high] = height(first) < height(second) ? [first, second] : [second, first];
  const limitOf = ({ connectionLimit }: Login) => (connectionLimit < 0 ? null : connectionLimit);
  return [
    difference(
      {
        ...{ kind: 'connection-limit', login: low.name, other: high.name },
        ...{ limit: limitOf(low), otherLimit: limitOf(high) },
      },
      `ALTER ROLE ${quoteIdentifier(low.name)} CONNECTION LIMIT ${high.connectionLimit}`,
    ),
  ];
}

function membershipDifferences(one: Login, other: Login): LoginDifference[] {
  return one.memberOf
    .filter((role) => !other.memberOf.includes(role))
    .map((role) =>
      difference(
        { kind: 'membership', login: one.name, other: other.name, role },
        `GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(other.name)}`,
      ),
    );
}

function settingDifferences(one: Login, other: Login): LoginDifference[] {
  return one.settings
    .filter((setting) => !like(other, setting))
    .map((setting) =>
      difference(
        { kind: 'setting', login: one.name, other: other.name, setting },
        setStatement(other.name, setting),
      ),
    );
}

function valueDifferences(first: Login, second: Login): LoginDifference[] {
  return first.settings.flatMap((setting) => {
    const its = like(second, setting);
    if (its === undefined || its.value === setting.value) return [];
    return [
      difference(
        { kind: 'setting-value', login: first.name, other: second.name, setting, otherValue: its.value },
        setStatement(second.name, setting),
      ),
    ];
  });
}

function like({ settings }: Login, { database, name }: RoleSetting): RoleSetting | undefined {
  return settings.find((each) => each.database === database && each.name === name);
}

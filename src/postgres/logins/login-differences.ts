import { setStatement } from '../connection/set-statement.ts';
import { quoteIdentifier } from '../identifier.ts';
import type { Login, RoleSetting } from './login.ts';

/** Something that one of two logins has and the other has not, and the statement that makes them equal. */
export interface LoginDifference {
  readonly what: string;
  readonly remedy: string;
}

/**
 * In what two logins differ, their names, LOGIN and VALID UNTIL aside. What mends it gives the other the same, but for
 * SUPERUSER, which nobody should have who is rotated; of two values the first login's, and of two limits the higher.
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

function attributeDifferences(one: Login, other: Login): LoginDifference[] {
  return one.attributes
    .filter((attribute) => !other.attributes.includes(attribute))
    .map((attribute) => ({
      what: `only ${one.name} has ${attribute}`,
      remedy:
        attribute === 'SUPERUSER'
          ? `ALTER ROLE ${quoteIdentifier(one.name)} NOSUPERUSER`
          : `ALTER ROLE ${quoteIdentifier(other.name)} ${attribute}`,
    }));
}

function limitDifference(first: Login, second: Login): LoginDifference[] {
  if (first.connectionLimit === second.connectionLimit) return [];
  const height = ({ connectionLimit }: Login) =>
    connectionLimit < 0 ? Number.POSITIVE_INFINITY : connectionLimit;
  const [low, high] = height(first) < height(second) ? [first, second] : [second, first];
  const has = ({ name, connectionLimit }: Login) =>
    `${name} has ${connectionLimit < 0 ? 'no CONNECTION LIMIT' : `CONNECTION LIMIT ${connectionLimit}`}`;
  return [
    {
      what: `${has(low)} and ${has(high)}`,
      remedy: `ALTER ROLE ${quoteIdentifier(low.name)} CONNECTION LIMIT ${high.connectionLimit}`,
    },
  ];
}

function membershipDifferences(one: Login, other: Login): LoginDifference[] {
  return one.memberOf
    .filter((role) => !other.memberOf.includes(role))
    .map((role) => ({
      what: `only ${one.name} has member of ${role}`,
      remedy: `GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(other.name)}`,
    }));
}

function settingDifferences(one: Login, other: Login): LoginDifference[] {
  return one.settings
    .filter((setting) => !like(other, setting))
    .map((setting) => ({
      what: `only ${one.name} has ${told(setting)}`,
      remedy: setStatement(other.name, setting),
    }));
}

function valueDifferences(first: Login, second: Login): LoginDifference[] {
  return first.settings.flatMap((setting) => {
    const its = like(second, setting);
    if (its === undefined || its.value === setting.value) return [];
    return [
      {
        what: `${first.name} has ${told(setting)} and ${second.name} has ${told(its)}`,
        remedy: setStatement(second.name, setting),
      },
    ];
  });
}

function like({ settings }: Login, { database, name }: RoleSetting): RoleSetting | undefined {
  return settings.find((each) => each.database === database && each.name === name);
}

function told({ database, name, value }: RoleSetting): string {
  return `${database === null ? '' : `in database ${database} `}SET ${name}=${value}`;
}

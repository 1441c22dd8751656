import type {
  GrantDifferenceInfo,
  LoginDifferenceInfo,
  SettingInfo,
} from '../../facts/database/login-difference.ts';

/** `only app_a is a member of pg_monitor` */
export function describeLoginDifference(difference: LoginDifferenceInfo): string {
  const { login, other } = difference;
  switch (difference.kind) {
    case 'attribute':
      return `only ${login} has ${difference.attribute}`;
    case 'membership':
      return `only ${login} is a member of ${difference.role}`;
    case 'setting':
      return `only ${login} has ${describeSetting(difference.setting)}`;
    case 'setting-value': {
      const otherSetting = { ...difference.setting, value: difference.otherValue };
      return `${login} has ${describeSetting(difference.setting)} and ${other} has ${describeSetting(otherSetting)}`;
    }
    case 'connection-limit': {
      const { limit, otherLimit } = difference;
      return `${login} has ${describeLimit(limit)} and ${other} has ${describeLimit(otherLimit)}`;
    }
  }
}

function describeSetting({ database, name, value }: SettingInfo): string {
  return `${database === null ? '' : `in database ${database} `}SET ${name}=${value}`;
}

function describeLimit(limit: number | null): string {
  return limit === null ? 'no CONNECTION LIMIT' : `CONNECTION LIMIT ${limit}`;
}

/**
 * What a login has that the other has not, to follow its name: `was granted SELECT ON TABLE
 * public.orders`
 */
export function describeGrant(difference: GrantDifferenceInfo): string {
  switch (difference.kind) {
    case 'grant': {
      const { privileges, objects, names } = difference;
      return `was granted ${privileges} ON ${objects} ${names}`;
    }
    case 'default-grant': {
      const { privileges, objects, creator, schema } = difference;
      return `was granted ${privileges} ON ${objects} to come of ${creator}${schema === null ? '' : ` IN SCHEMA ${schema}`}`;
    }
    case 'row-policy':
      return `is named by the row security policy ${difference.policy}`;
    case 'user-mapping':
      return `has a user mapping for server ${difference.server}`;
  }
}

import { counted } from '../../counted.ts';
import type { RolePlanFacts } from '../../facts/roles/role-plan-facts.ts';
import type { Messages } from '../message.ts';
import { usersText } from '../rotation/describe-use.ts';
import { grantTargetText } from './grant-target-text.ts';
import { USE_EXAMPLE } from './use-example.ts';

export const rolePlanMessages: Messages<RolePlanFacts> = {
  'published-login-recreated': {
    text: ({ login }) =>
      `The published login ${login} is created again without its password, so whoever uses the published password is refused until a rotation publishes the other login`,
    advice: 'rotate at once',
    means:
      'The published login was dropped. `roles repair` creates it again, but cannot give it the password that is published. The next rotation publishes the other login.',
    example: { login: 'orders_a', policy: 'orders-api' },
  },
  'standby-left-to-rotation': {
    text: ({ login }) => `${login} can log in; that is left to the rotation that is open`,
    means: 'While a rotation is open, both logins may be able to log in. The rotation disables the old one.',
    example: { login: 'orders_b' },
  },
  'standby-in-use': {
    text: ({ published, ...use }) =>
      `${use.login} can log in though ${published} is published, and is in use: ${usersText(use)}`,
    advice: 'find out why, end that, and repair again',
    means:
      'The standby can log in and somebody uses it, so `roles repair` does not disable it. Often an application still has an old password.',
    example: { ...USE_EXAMPLE, published: 'orders_a' },
  },
  'objects-without-owner': {
    text: ({ role, count }) =>
      `${role} itself owns ${counted(count, 'object')}, which the other login may not alter`,
    advice: 'give the policy an owner, and repair again',
    means: 'A login owns objects, and the policy has no `owner` that could own them for both logins.',
    example: { role: 'orders_a', count: 3 },
  },
  'objects-in-other-database': {
    text: ({ role, count, database }) =>
      `${role} itself owns ${counted(count, 'object')} in database ${database}`,
    advice: ({ database }) => `connect to ${database} as an administrator`,
    means:
      'A login owns objects in another database than that of the connection. Objects are handed over from within their own database only.',
    example: { role: 'orders_a', count: 3, database: 'reports' },
  },
  'objects-of-login': {
    text: ({ role, count, owner }) => `${role} itself owns ${counted(count, 'object')}, not ${owner}`,
    advice: 'repair the roles to hand them over',
    means: 'A login owns objects that should belong to the owner. `roles create` leaves them.',
    example: { role: 'orders_a', count: 3, owner: 'orders_owner' },
  },
  'privileges-left-to-superuser': {
    text: ({ owners, count }) =>
      `${counted(count, 'change')} of privileges on what belongs to ${owners.join(' and ')}, which only a superuser can make`,
    advice: 'have an administrator run it, as a superuser',
    means:
      '`roles create` made all other changes. The rotator cannot grant privileges on the tables and sequences of a superuser, nor on what that one will create. The command prints the rest as one script and runs it.',
    example: { policy: 'orders-api', owners: ['postgres'], count: 4 },
  },
  'privileges-beyond-level': {
    text: ({ grantee, privileges, on, access, policy }) =>
      `${grantee} has ${privileges.join(', ')} on ${grantTargetText(on)}, beyond the level ${access} of ${policy}`,
    advice: 'repair the roles to revoke that',
    means: 'A role has privileges beyond its level. `roles create` without `--access` revokes nothing.',
    example: {
      grantee: 'orders_owner',
      privileges: ['DELETE'],
      on: { kind: 'table', schema: 'public', owner: 'migrator', count: 1, names: ['orders'] },
      access: 'read',
      policy: 'orders-api',
    },
  },
  'level-without-effect': {
    text: ({ grantee, count }) =>
      `${grantee} owns ${counted(count, 'table or sequence', 'tables and sequences')} there, and may do everything with them whatever its level`,
    advice: 'to end that, give them to another role with ALTER TABLE … OWNER TO',
    means: 'The owner of a table has every privilege on it, so a level below `owner` does not limit it.',
    example: { grantee: 'orders_owner', count: 2 },
  },
  'default-privileges-beyond-level': {
    text: ({ grantee, privileges, kind, creator }) =>
      `${grantee} gets ${privileges.join(', ')} on ${kind} of ${creator} in every schema, so keyturn leaves that`,
    advice: ({ creator }) => `to end it, as ${creator} or as a superuser`,
    means:
      'Default privileges that hold in every schema give a role more than its level. They also concern schemas of others, so keyturn does not change them.',
    example: {
      grantee: 'orders_owner',
      privileges: ['DELETE'],
      kind: 'future tables',
      creator: 'migrator',
    },
  },
  'public-privileges': {
    text: ({ privileges, on, logins }) =>
      `everybody has ${privileges.join(', ')} on ${grantTargetText(on)}, and so have ${logins.join(' and ')}`,
    advice: ({ on }) => `to end that, as ${on.owner} or as a superuser`,
    means:
      'PUBLIC has privileges beyond the level, so the logins have them too. keyturn does not take rights from others.',
    example: {
      privileges: ['CREATE'],
      on: { kind: 'schema', schema: 'public', owner: 'postgres', count: 1, names: [] },
      logins: ['orders_a', 'orders_b'],
    },
  },
  'access-never-chosen': {
    text: () => 'no level of access was ever chosen, so what is granted stays as it is',
    advice: ({ policy }) =>
      `choose none, read, read-write or owner, for instance: keyturn roles create ${policy} --access read`,
    means: 'The roles existed before keyturn, and keyturn changes none of their privileges until told to.',
    example: { policy: 'orders-api' },
  },
  'owner-level-shared': {
    text: ({ owner, access, schemas, otherPolicy, otherAccess }) =>
      `the owner ${owner} is also that of the policy ${otherPolicy}, for which ${otherAccess} was chosen in schema ${schemas.join(', ')}; an owner has one level there, so the logins of ${otherPolicy} have ${access}, too`,
    means:
      'Two policies have the same owner, and different levels were chosen for them. The last choice counts for both.',
    example: {
      owner: 'orders_owner',
      access: 'read',
      schemas: ['public'],
      otherPolicy: 'reports',
      otherAccess: 'read-write',
    },
  },
};

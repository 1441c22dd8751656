import { counted } from '../../counted.ts';
import type { RoleChangeFacts } from '../../facts/roles/role-change-facts.ts';
import type { Messages } from '../message.ts';
import { grantTargetText } from './grant-target-text.ts';

const TABLE = {
  kind: 'table',
  schema: 'public',
  owner: 'migrator',
  count: 1,
  names: ['orders'],
} as const;

export const roleChangeMessages: Messages<RoleChangeFacts> = {
  'create-role': {
    text: ({ kind, role }) => `creates the ${kind} ${role}`,
    means: 'The role does not exist. A login starts with NOLOGIN and without a password.',
    example: { kind: 'login', role: 'orders_a' },
  },
  'drop-role': {
    text: ({ kind, role }) => `drops the ${kind} ${role}`,
    means: 'The role is dropped, after what it owned was handed over and its privileges were revoked.',
    example: { kind: 'login', role: 'orders_a' },
  },
  'grant-admin-option': {
    text: ({ rotator, role }) => `lets the rotator ${rotator} alter ${role}`,
    means:
      'From PostgreSQL 16 on, a rotator may only alter roles on which it has ADMIN OPTION. It has it on the roles that it creates itself, so only a script for an administrator grants it.',
    example: { rotator: 'keyturn', role: 'orders_a' },
  },
  'grant-membership': {
    text: ({ role, member }) => `makes ${member} a member of ${role}`,
    means: 'A login is not a member of the owner, or may not become it with SET ROLE.',
    example: { role: 'orders_owner', member: 'orders_a' },
  },
  'copy-membership': {
    text: ({ role, member, like }) => `makes ${member} a member of ${role}, like ${like}`,
    means: 'The published login is a member of a role, and the standby is not.',
    example: { role: 'reporting', member: 'orders_b', like: 'orders_a' },
  },
  'revoke-membership': {
    text: ({ role, member, unlike }) => `removes ${member} from ${role}, of which ${unlike} is not a member`,
    means: 'The standby is a member of a role, and the published login is not.',
    example: { role: 'reporting', member: 'orders_b', unlike: 'orders_a' },
  },
  'set-default-role': {
    text: ({ login, owner }) => `makes what ${login} creates belong to ${owner}`,
    means:
      'Sessions of the login do not start as the owner, so the other login could not alter what they create.',
    example: { login: 'orders_a', owner: 'orders_owner' },
  },
  'grant-connect': {
    text: ({ logins, database }) => `lets ${logins.join(' and ')} connect to ${database}`,
    means: 'The logins may not connect to the database.',
    example: { logins: ['orders_a', 'orders_b'], database: 'orders' },
  },
  'grant-privileges': {
    text: ({ privileges, on, grantee }) =>
      `grants ${privileges.join(', ')} on ${grantTargetText(on)} to ${grantee}`,
    means: 'The level of access includes privileges that the role does not have.',
    example: { privileges: ['SELECT'], on: TABLE, grantee: 'orders_owner' },
  },
  'revoke-privileges': {
    text: ({ privileges, on, grantee }) =>
      `revokes ${privileges.join(', ')} on ${grantTargetText(on)} from ${grantee}`,
    means: 'The role has privileges beyond its level of access.',
    example: { privileges: ['DELETE'], on: TABLE, grantee: 'orders_owner' },
  },
  'enable-login': {
    text: ({ login }) => `lets the published login ${login} log in`,
    means: 'The published login has NOLOGIN, so applications are refused.',
    example: { login: 'orders_a' },
  },
  'disable-login': {
    text: ({ login }) => `disables the standby login ${login}`,
    means: 'The standby can log in, though no rotation is open and nobody uses it.',
    example: { login: 'orders_b' },
  },
  'remove-past-expiry': {
    text: ({ login }) => `removes the expiry of ${login}, which has passed`,
    means: 'PostgreSQL refuses the password of the login, because its VALID UNTIL is in the past.',
    example: { login: 'orders_a' },
  },
  'remove-expiry': {
    text: ({ login, until }) => `removes the expiry of ${login}, ${until}`,
    means: 'The two logins have different expiries.',
    example: { login: 'orders_a', until: '2027-01-01T00:00:00.000Z' },
  },
  'remove-connection-limit': {
    text: ({ login, limit }) => `removes the connection limit of ${login}, ${limit}`,
    means: 'Logins that keyturn created have no connection limit, and this one has.',
    example: { login: 'orders_a', limit: 1 },
  },
  'set-connection-limit': {
    text: ({ login, limit, like }) =>
      `sets the connection limit of ${login} to ${limit}, like that of ${like}`,
    means:
      'Both logins get the connection limit of the published one, unless that is 0. A pair that keyturn created has no limit.',
    example: { login: 'orders_b', limit: 20, like: 'orders_a' },
  },
  'hand-over-objects': {
    text: ({ from, to, count, examples }) =>
      `hands ${counted(count, 'object')} of ${from} to ${to}${listOf(examples, count)}`,
    means: 'A login owns objects itself, so the other login may not alter them. They go to the owner.',
    example: { from: 'orders_b', to: 'orders_owner', count: 1, examples: ['table public.orders'] },
  },
};

function listOf(examples: readonly string[], count: number): string {
  if (examples.length === 0) return '';
  return `: ${examples.join(', ')}${count > examples.length ? ', …' : ''}`;
}

import type { RoleRequestFacts } from '../../facts/roles/role-request-facts.ts';
import type { Messages } from '../message.ts';

export const roleRequestMessages: Messages<RoleRequestFacts> = {
  'owner-level-without-owner': {
    text: ({ policy }) =>
      `The policy ${policy} has no owner, so what one login creates would not belong to the other`,
    advice: ({ policy }) =>
      `give it one (owner: ${policy.replaceAll('-', '_')}_owner), or choose none, read or read-write`,
    means: 'The level `owner` needs a role that owns what both logins create.',
    example: { policy: 'orders-api' },
  },
  'access-level-unknown': {
    text: ({ access }) => `${JSON.stringify(access)} is not a level of access`,
    advice: ({ levels }) => `choose ${levels.join(', ')}`,
    means: 'There is no such level of access.',
    example: { access: 'write', levels: ['none', 'read', 'read-write', 'owner'] },
  },
  'role-name-unsuitable': {
    text: ({ role }) =>
      `${JSON.stringify(role)} does not exist, and keyturn creates no role with such a name`,
    advice: 'must be up to 50 letters, digits, - and _, or the name of a role that exists',
    means:
      'The names of roles that keyturn creates need no quotes in SQL, URLs and file names. Roles that exist may have any name.',
    example: { role: 'orders app' },
  },
  'roles-not-creatable': {
    text: ({ problems }, tell) => problems.map(({ fact }) => tell(fact)).join('; '),
    means: 'Roles of a policy do not exist, and keyturn does not create roles with their names.',
    example: {
      problems: [
        {
          path: ['policies', 'orders-api', 'logins', 0],
          fact: { code: 'role-name-unsuitable', params: { role: 'orders app' } },
        },
      ],
    },
  },
  'schemas-missing': {
    text: ({ schemas }) => `There is no schema ${schemas.join(' and no schema ')}`,
    advice: 'choose others, or create them',
    means: 'The schemas in which the logins are to work do not exist in the database.',
    example: { schemas: ['app'] },
  },
  'rotator-policy-without-roles': {
    text: ({ policy }) =>
      `Policy ${policy} is of type rotator: an administrator creates its login, with the script that keyturn prints`,
    means:
      'The login of a policy of type `rotator` is the rotator itself, which keyturn can neither create nor drop.',
    example: { policy: 'keyturn-itself' },
  },
  'platform-unknown': {
    text: ({ platform }) => `There is no platform ${JSON.stringify(platform)}`,
    advice: ({ platforms }) => `choose ${platforms.join(', ')}`,
    means: '`--platform` names a service that keyturn does not know.',
    example: { platform: 'elsewhere', platforms: ['rds', 'cloud-sql', 'azure'] },
  },
  'neon-unsupported': {
    text: () =>
      'Neon takes passwords in plain text only, and keyturn gives PostgreSQL nothing but SCRAM-SHA-256 verifiers (G3), so it cannot rotate logins there',
    advice: 'see docs/managed-postgres.md',
    means: 'A platform on which keyturn cannot work: it would have to send passwords in plain text.',
    example: {},
  },
  'heroku-unsupported': {
    text: () =>
      'Heroku creates the credentials of Heroku Postgres and their passwords itself, so keyturn cannot rotate them',
    advice: 'use heroku pg:credentials:rotate, and see docs/managed-postgres.md',
    means:
      'A platform on which keyturn cannot work: the platform itself manages the logins and their passwords.',
    example: {},
  },
  'rotator-connection-unknown': {
    text: ({ connection }) => `There is no connection ${JSON.stringify(connection)}`,
    advice: ({ connections }) => `there is ${connections.join(', ')}`,
    means: 'The configuration has no connection of that name.',
    example: { connection: 'order-db', connections: ['orders-db', 'reports-db'] },
  },
  'rotator-connection-ambiguous': {
    text: () => 'Each connection has a script of its own',
    advice: ({ connections }) => `name one of ${connections.join(', ')}`,
    means: 'There are several connections, and each script is to be run in the database of one of them.',
    example: { connections: ['orders-db', 'reports-db'] },
  },
  'rotator-not-needed': {
    text: () => 'The embedded PostgreSQL needs no rotator: keyturn is its superuser',
    means: 'Only a server that keyturn does not run itself needs a rotator.',
    example: {},
  },
  'drop-confirmed-wrongly': {
    text: ({ policy }) => `--confirm must be the name of the policy, ${policy}; nothing was done`,
    means: 'Dropping roles is confirmed by the name of their policy.',
    example: { policy: 'orders-api' },
  },
};

import type { RotatorScriptFacts, RotatorScriptPart } from '../../facts/roles/rotator-script-facts.ts';
import type { Messages } from '../message.ts';

/** Who runs the script on a platform. */
const ADMINISTRATORS: Readonly<Record<string, string>> = {
  rds: 'the master user, a member of rds_superuser',
  'cloud-sql': 'postgres, or another member of cloudsqlsuperuser',
  azure: 'the server admin, a member of azure_pg_admin',
  supabase: 'postgres, with a direct connection and not through a pooler',
  render: 'the default user of the database',
};

const PURPOSES: Readonly<Record<RotatorScriptPart, string>> = {
  role: 'The role. The script stops at a superuser, which would not need it.',
  login: 'It logs in, and alters logins. The password is a SCRAM verifier, which logs nobody in.',
  sessions: 'It sees the sessions of the logins, and ends those that outlast the drain.',
  'reserved-connections':
    'From PostgreSQL 16 on, it uses a reserved connection when a leaked login has taken all others.',
  passwords: 'It sets passwords, where that is restricted.',
  'admin-option':
    'From PostgreSQL 16 on, it may only alter roles that it was given, or that it creates. It neither has their rights nor acts as them.',
  connect: 'It connects.',
  'pass-on': 'It connects, and passes on what roles create grants there.',
};

export const rotatorScriptMessages: Messages<RotatorScriptFacts> = {
  'rotator-script': {
    text: ({ connection, database, platform }) =>
      `The rotator of ${connection}: run this in the database ${database} as ${ADMINISTRATORS[platform ?? ''] ?? 'a superuser'}. It may be run again.`,
    means: 'The first line of the script that `roles rotator` prints.',
    example: { connection: 'orders-db', database: 'orders', platform: 'rds' },
  },
  'rotator-script-part': {
    text: ({ part }) => PURPOSES[part],
    means:
      'A comment in the script that `roles rotator` prints. It says what the statements after it are for.',
    example: { part: 'sessions' },
  },
  'rotator-password-not-ascii': {
    text: ({ connection }) =>
      `the password of ${connection} has other characters than printable ASCII, so it is not printed as a verifier`,
    advice: 'set it with \\password of psql',
    means:
      'A SCRAM verifier of such a password depends on how it is normalised, so the script leaves it out.',
    example: { connection: 'orders-db' },
  },
  'rotator-password-rotated': {
    text: ({ policy, user }) => `policy ${policy} rotates the password of ${user}`,
    advice: 'once it has, take PASSWORD out of this script before it is run again',
    means:
      'The script sets the configured password, which is obsolete after the first rotation of the rotator.',
    example: { policy: 'keyturn-itself', user: 'keyturn' },
  },
};

import type { RoleRefusalFacts } from '../../facts/roles/role-refusal-facts.ts';
import { adviseEnding, describeHolders } from '../database/describe-session.ts';
import type { Messages } from '../message.ts';

const LOCKED = {
  code: 'roles-turn-taken',
  params: {
    holders: [{ pid: 71, login: 'app_a', application: 'psql', state: 'idle', since: null, prepared: null }],
  },
} as const;

export const roleRefusalMessages: Messages<RoleRefusalFacts> = {
  'roles-changed-since-shown': {
    text: ({ policy }) => `The roles of ${policy} have changed since they were shown, so nothing was done`,
    advice: 'look again',
    means:
      'Between the plan that `roles repair` showed and the answer yes, something in the database changed.',
    example: { policy: 'orders-api' },
  },
  'role-change-failed': {
    text: ({ change, detail }, tell) =>
      `Nothing was changed, because this failed: ${tell(change)}: ${detail}`,
    means:
      'PostgreSQL refused one of the changes, so none was made. Where a right is missing, an administrator runs the statement.',
    example: {
      change: { code: 'create-role', params: { kind: 'login', role: 'orders_a' } },
      detail: 'permission denied to create role',
    },
  },
  'role-changes-without-effect': {
    text: ({ changes }, tell) =>
      `PostgreSQL accepted this without an effect, so nothing was changed: ${changes.map(tell).join('; ')}`,
    advice: 'have an administrator run the statements',
    means:
      'PostgreSQL only warns when a GRANT or REVOKE has no effect. keyturn looks again after its changes, finds the same difference, and makes no change at all.',
    example: {
      changes: [{ code: 'grant-membership', params: { role: 'orders_owner', member: 'orders_a' } }],
    },
  },
  'roles-locked': {
    text: ({ logins, cause }, tell) =>
      `Another session is changing the logins ${logins.join(' and ')} right now, so nothing was done (${tell(cause)})`,
    advice: 'run it again in a moment',
    means: 'A rotation, or another change of roles, holds a lock that this command needs.',
    example: { logins: ['orders_a', 'orders_b'], cause: LOCKED },
  },
  'roles-lock-timeout': {
    text: ({ seconds, cause }, tell) =>
      `Another session holds a lock and did not release it within ${seconds} s, so nothing was done (${tell(cause)})`,
    advice: 'run it again once that session is done',
    means:
      'A change needs a lock on a role or a table that another session holds. keyturn gives up soon, because the queries of applications queue up behind whoever waits for a lock on a table.',
    example: {
      seconds: 2,
      cause: { code: 'unexpected', params: { text: 'canceling statement due to lock timeout' } },
    },
  },
  'roles-changed-concurrently': {
    text: ({ cause }, tell) =>
      `Another session changed the same at the same time, so nothing was done (${tell(cause)})`,
    advice: 'run it again',
    means: 'Somebody altered the same role, or granted on the same object, and committed first.',
    example: { cause: { code: 'unexpected', params: { text: 'tuple concurrently updated' } } },
  },
  'roles-turn-taken': {
    text: ({ holders }) =>
      `the lock for changes of roles in this database is held by ${describeHolders(holders, 'another session')}`,
    advice: ({ holders }) => adviseEnding(holders),
    means: 'Changes of roles take turns in a database, and another one did not end in time.',
    example: LOCKED.params,
  },
  'roles-on-standby-server': {
    text: ({ connection }) =>
      `The server of ${connection} is a standby server, where roles cannot be altered`,
    advice: 'point the connection at the primary',
    means: 'PostgreSQL alters roles on the primary server only.',
    example: { connection: 'orders-db' },
  },
  'roles-last-choice-unknown': {
    text: ({ cause }, tell) =>
      `It is not known which level of access was chosen last, so nothing was done: ${tell(cause)}`,
    means:
      'Without the level of access and the schemas that were chosen last, the roles would be changed towards something else.',
    example: { cause: { code: 'unexpected', params: { text: 'connect ECONNREFUSED 127.0.0.1:5432' } } },
  },
  'roles-pgbouncer-silent': {
    text: ({ cause }, tell) => `PgBouncer ${tell(cause)}`,
    advice: ({ connection }) => `if it is gone, remove it from the pgbouncer of connection ${connection}`,
    means:
      'A login may be in use through a PgBouncer that cannot be asked, so nothing is done to that login (G6).',
    example: {
      connection: 'orders-db',
      cause: { code: 'unexpected', params: { text: 'admin@10.0.0.9:6432/pgbouncer: connection refused' } },
    },
  },
};

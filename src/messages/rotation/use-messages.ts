import { counted } from '../../counted.ts';
import type { PreparedInfo } from '../../facts/database/session-info.ts';
import type { NotReplayed, SeenSession, UseFacts } from '../../facts/rotation/use-facts.ts';
import { describeHolder, describePrepared } from '../database/describe-session.ts';
import type { Messages } from '../message.ts';
import { clientsText, processes, replayText, sessionsText, useText } from './describe-use.ts';

const SESSION: SeenSession = {
  pid: 4711,
  application: 'orders',
  address: '10.0.0.7',
  database: 'orders',
  elsewhere: false,
  type: 'client backend',
  slots: [],
  state: 'idle',
  transactionAge: null,
};

const PREPARED: PreparedInfo = {
  gid: 'order-71',
  database: 'orders',
  preparedAt: '2026-01-31T10:00:00.000Z',
};

const CLIENTS = { pgbouncer: '10.0.0.9:6432', database: 'orders', login: 'orders_api_a', clients: 3 };

/** By what one sees that a replica is behind. */
function signOf(missing: NotReplayed, login: string): string {
  return missing === 'nologin'
    ? `still lets ${login} log in`
    : `does not take the new password of ${login} yet`;
}

export const useMessages: Messages<UseFacts> = {
  'drain-grace': {
    text: () => 'grace: consumers may still read the old version from a cache',
    means:
      'The drain does not look at sessions yet. Consumers may cache what they read from the secret store, so `drain.grace` passes first.',
    example: { until: '2026-01-31T10:05:00.000Z' },
  },
  'drain-waiting-for-sessions': {
    text: ({ pastDeadline, ...use }) => useText(use, pastDeadline ? ', past the deadline' : ''),
    means:
      'The rotation waits for those who still use the outgoing login: sessions, prepared transactions, and clients that are logged in to a PgBouncer.',
    example: {
      login: 'orders_api_a',
      sessions: [SESSION],
      prepared: [],
      clients: [],
      pastDeadline: false,
    },
  },
  'drain-past-deadline': {
    text: ({ login, deadline }) =>
      `${login} is still in use at the drain's deadline of ${deadline}; the policy says to go on waiting, so it stays able to log in until those who use it are gone`,
    advice: 'end those who use it, or set drain.onTimeout to terminate',
    means:
      'The deadline of the drain has passed and `drain.onTimeout` is `wait`, so the outgoing login is not revoked before nobody uses it.',
    example: { login: 'orders_api_a', deadline: '2026-01-31T10:30:00.000Z' },
  },
  'pgbouncer-not-asked': {
    text: ({ login, cause }, tell) =>
      `PgBouncer ${tell(cause)}. Until that is fixed, clients that are logged in there as ${login} may be revoked unseen, and its idle connections hold the drain up until its server_idle_timeout`,
    means:
      'A PgBouncer of the connection could not be asked who is logged in. A rotation goes on without it, since PgBouncer has no say in it.',
    example: {
      login: 'orders_api_a',
      cause: { code: 'unexpected', params: { text: '10.0.0.9:6432: connection refused' } },
    },
  },
  'pgbouncer-clients-stay': {
    text: (seen) =>
      `${clientsText(seen)}: they stay logged in there, where they reach nothing now, but would use the password that ${seen.login} gets next`,
    advice: 'end them (KILL_CLIENT, from PgBouncer 1.24 on)',
    means:
      'The login is revoked, and clients are still logged in to a PgBouncer as that login. They cannot reach PostgreSQL.',
    example: CLIENTS,
  },
  'prepared-transactions-left': {
    text: ({ login, prepared }) =>
      `${login} leaves ${counted(prepared.length, 'prepared transaction')} behind, with its locks: ${prepared.map(describePrepared).join(', ')}; it may be half of a distributed commit, so keyturn does not end it, and only a superuser can`,
    means:
      'The login is revoked, and a transaction that it prepared for a two-phase commit is still there. Only its coordinator knows whether to commit it.',
    example: { login: 'orders_api_a', prepared: [PREPARED] },
  },
  'replicas-catching-up': {
    text: ({ login, missing, replicas }) =>
      replicas
        .map((each) => {
          const behind = each.behind === null ? '' : `, ${each.behind} behind`;
          return `replica ${each.replica} ${signOf(missing, login)} (${replayText(each)}${behind})`;
        })
        .join('; '),
    means:
      'A replica has not replayed what the primary has: the new password of the incoming login, or that the outgoing login may not log in. The rotation waits for it.',
    example: {
      login: 'orders_api_b',
      missing: 'password',
      replicas: [{ replica: 'replica-1:5432', standby: true, paused: false, behind: '16 kB' }],
    },
  },
  'replicas-behind': {
    text: ({ login, missing, replicas }) =>
      replicas
        .map((each) => `The replica ${each.replica} ${signOf(missing, login)}: ${replayText(each)}`)
        .join('. '),
    advice: ({ replicas }) =>
      [
        ...(replicas.some(({ paused }) => paused) ? ['resume the replay there'] : []),
        ...(replicas.some(({ standby, paused }) => standby && !paused)
          ? [
              'find out from pg_stat_replication on the primary what keeps it, and compare its pg_hba.conf with that of the primary',
            ]
          : []),
        'to go on without a replica, remove it from the replicas of the connection',
      ].join('; '),
    means:
      'A replica has been behind for a minute. The rotation tries again until it has caught up, since consumers who read from it would be refused, or could still log in with the old password.',
    example: {
      login: 'orders_api_b',
      missing: 'nologin',
      replicas: [{ replica: 'replica-1:5432', standby: true, paused: true }],
    },
  },
  'revoke-last-look': {
    text: ({ login }) => `a last look whether somebody was just logging in as ${login}`,
    means:
      'The login is shut out. Sessions that PostgreSQL let in just before are still starting, and it does not say yet whose they are. The rotation looks again until it does, for a minute at most.',
    example: { login: 'orders_api_a' },
  },
  'revoke-ends-starting-sessions': {
    text: ({ login, pids }) =>
      `ends sessions that were starting when ${login} was shut out (${processes(pids)})`,
    means:
      'A client can make its session start slowly (`post_auth_delay`). Until then PostgreSQL does not say whose it is. In an emergency these sessions are ended at once. Where the deadline has passed and `drain.onTimeout` is `terminate`, they are ended after 30 s: they may be of anybody. It is recorded before it is done.',
    example: { login: 'orders_api_a', pids: [4711] },
  },
  'starting-sessions-left': {
    text: ({ login, pids }) =>
      `sessions that were starting when ${login} was shut out are still starting (${processes(pids)}); one of them may be a session of ${login}`,
    means:
      'A client can make its session start slowly (`post_auth_delay`). PostgreSQL still does not say whose these sessions are, so nobody knows whether one belongs to the login that was shut out. End them, or look later whose they are.',
    example: { login: 'orders_api_a', pids: [4711] },
  },
  'revoke-ends-sessions': {
    text: ({ login, sessions }) => `ends ${useText({ login, sessions, prepared: [], clients: [] })}`,
    means:
      'These sessions of the outgoing login are ended: the deadline has passed and `drain.onTimeout` is `terminate`, or it is an emergency. It is recorded before it is done.',
    example: { login: 'orders_api_a', sessions: [SESSION] },
  },
  'revoke-ends-lock-holders': {
    text: ({ login, holders }) =>
      `ends sessions that keep ${login} from being shut out: ${holders.map(describeHolder).join('; ')}`,
    means:
      'A session of the outgoing login keeps its own role locked, so that nobody can alter it. keyturn ends that session. It is recorded before it is done.',
    example: {
      login: 'orders_api_a',
      holders: [
        {
          pid: 4711,
          login: 'orders_api_a',
          application: 'psql',
          state: 'idle in transaction',
          since: '2026-01-31T10:00:00.000Z',
          prepared: null,
        },
      ],
    },
  },
  'revoke-sessions-not-ended': {
    text: ({ login, sessions, cause }, tell) =>
      `${login} is shut out, but ${counted(sessions.length, 'session')} of it cannot be ended by the rotator: ${sessionsText(sessions)}${cause === null ? '' : `. ${tell(cause)}`}`,
    advice: ({ cause }) => (cause === null ? 'end it as a superuser' : undefined),
    means:
      'The login is revoked, and PostgreSQL does not let the rotator end a session of it. A session of a superuser ends only by another superuser.',
    example: { login: 'orders_api_a', sessions: [SESSION], cause: null },
  },
  'login-not-revoked-yet': {
    text: ({ login, cause }, tell) => `${login} is NOT revoked yet: ${tell(cause)}`,
    means:
      'Something keeps the outgoing login from being altered, so it can still log in. It is tried again.',
    example: {
      login: 'orders_api_a',
      cause: { code: 'unexpected', params: { text: 'its row in pg_authid is locked' } },
    },
  },
  'emergency-makes-room': {
    text: ({ login, sessions }) =>
      `ends some of ${counted(sessions, 'session')} of ${login}, since the server has no free connection for the login that comes in`,
    means:
      'In an emergency the leaked login holds all connections of the server. keyturn ends some of its sessions, so that the new login can be proven.',
    example: { login: 'orders_api_a', sessions: 97 },
  },
};

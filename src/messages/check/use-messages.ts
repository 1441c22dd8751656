import { counted } from '../../counted.ts';
import type { CheckUseFacts } from '../../facts/check/use-facts.ts';
import type { SessionInfo } from '../../facts/database/session-info.ts';
import { describePrepared, describeSession } from '../database/describe-session.ts';
import type { Messages } from '../message.ts';
import { clientsText } from '../rotation/describe-use.ts';

const SESSION: SessionInfo = {
  pid: 4711,
  database: 'orders',
  elsewhere: false,
  application: 'psql',
  address: '10.0.0.7',
  type: 'client backend',
  slots: [],
  state: 'idle in transaction',
  transactionAge: 12_000,
};
const SECRETS = ['prod/orders/db#username', 'prod/orders/db#password'];

export const checkUseMessages: Messages<CheckUseFacts> = {
  'sessions-of-dropped-logins': {
    text: ({ count }) =>
      `${counted(count, 'session')} of logins that were dropped go on; of which login each was cannot be told`,
    means:
      'A session outlives the role that it logged in as. One of the policy is gone, and whoever dropped it may have wanted its sessions gone, too.',
    example: { count: 2 },
  },
  'incoming-has-sessions': {
    text: ({ login, sessions }) =>
      `The incoming login ${login} still has ${counted(sessions.length, 'session')}: ${describeSessions(sessions)}`,
    advice: 'find out who uses it and end them',
    means:
      'The login that would get a new password is in use. Whoever uses it could not log in again after the rotation.',
    example: { login: 'orders_api_b', sessions: [SESSION] },
  },
  'incoming-has-prepared-transactions': {
    text: ({ login, transactions }) =>
      `the incoming login ${login} has ${counted(transactions.length, 'prepared transaction')} that still holds locks: ${transactions.map(describePrepared).join(', ')}`,
    means:
      'A transaction that was prepared for a two-phase commit keeps its locks until somebody ends it. It stops no rotation.',
    example: {
      login: 'orders_api_b',
      transactions: [{ gid: 'order-17', database: 'orders', preparedAt: '2026-01-05T10:00:00.000Z' }],
    },
  },
  'incoming-has-pooled-clients': {
    text: (clients) =>
      `${clientsText(clients)}: they logged in before ${clients.login} was revoked; they would use its new password, or by trying the old one have PgBouncer refuse new clients for its server_login_retry`,
    advice: 'end them (KILL_CLIENT, from PgBouncer 1.24 on)',
    means:
      'Clients of a PgBouncer are still logged in there with an old password of the login that comes in.',
    example: {
      login: 'orders_api_b',
      pgbouncer: 'pgbouncer.internal:6432',
      database: 'orders',
      clients: 2,
    },
  },
  'incoming-is-published': {
    text: ({ login, destination }) =>
      `${destination} publishes ${login}, which would be given a new password under its readers`,
    advice: 'correct that secret first',
    means:
      'A destination other than the primary publishes the login that would come in, so its readers would be refused.',
    example: { login: 'orders_api_b', destination: 'aws (2)' },
  },
  'unpublished-logins-in-use': {
    text: ({ logins }) =>
      `Neither login is published, and both ${logins.join(' and ')} have sessions, so neither can be given a new password`,
    advice: (params) => `${publishWhatIsUsed(params)}; or end the sessions of one`,
    means: 'Which login consumers use cannot be told: none is in the secret, and both have sessions.',
    example: { logins: ['orders_api_a', 'orders_api_b'], secrets: SECRETS, destination: 'aws (primary)' },
  },
  'unpublished-login-in-use': {
    text: ({ login, sessions }) =>
      `Nothing is published yet, but ${login} is in use: ${counted(sessions.length, 'session')}, ${describeSessions(sessions)}. No rotation begins by itself as long as that is so`,
    advice: ({ login, spare, timeoutSeconds, ...params }) =>
      `${publishWhatIsUsed(params)}; or end the sessions, and the first rotation comes by itself; or rotate by hand, which gives ${spare ?? 'the other login'} a new password, publishes that, waits${timeoutSeconds === null ? '' : ` for at most ${timeoutSeconds} s`} for the sessions of ${login} to end and revokes it`,
    means:
      'A policy was made for logins that are in use already, and what consumers use is not in the secret. They would not learn of another credential, so no rotation begins unless somebody asks for it.',
    example: {
      login: 'orders_api_a',
      spare: 'orders_api_b',
      sessions: [SESSION],
      secrets: SECRETS,
      destination: 'aws (primary)',
      timeoutSeconds: 1800,
    },
  },
};

function publishWhatIsUsed(place: {
  readonly secrets: readonly string[];
  readonly destination: string;
}): string {
  return `put the username and password in use into ${place.secrets.join(' and ')} of ${place.destination}, and nothing changes until the first slot`;
}

function describeSessions(sessions: readonly SessionInfo[]): string {
  return sessions.map(describeSession).join(', ');
}

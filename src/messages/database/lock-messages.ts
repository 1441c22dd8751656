import type { LockFacts } from '../../facts/database/lock-facts.ts';
import type { HolderInfo } from '../../facts/database/session-info.ts';
import type { Messages } from '../message.ts';
import { beginning, withReplica } from './at-server.ts';
import { adviseEnding, describeHolders } from './describe-session.ts';

const HOLDER: HolderInfo = {
  pid: 71,
  login: 'orders_api_a',
  application: 'psql',
  state: 'idle in transaction',
  since: '2026-01-31T10:00:00.000Z',
  prepared: null,
};

export const lockMessages: Messages<LockFacts> = {
  'lock-held': {
    text: ({ logins, seconds, holders }) => {
      const who = describeHolders(holders, '');
      return `Another session is changing ${logins.join(' and ')} and has held their lock for more than ${seconds} s${who && `: ${who}`}`;
    },
    advice: ({ holders }) => adviseEnding(holders),
    means:
      'Another session has the lock of the logins, which every change of them takes. It may be another keyturn that rotates the same logins. keyturn tries again.',
    example: { logins: ['orders_api_a', 'orders_api_b'], seconds: 2, holders: [HOLDER] },
  },
  'lock-lost': {
    text: () =>
      'The session that had the lock of the logins has ended, or answers too late, so keyturn stops what it was doing under the lock',
    advice: 'keyturn tries again',
    means:
      'The server ended the session that had the lock of the logins, the connection to it was lost, or it took seconds to answer. Another process may have the lock by now. keyturn tries again.',
    example: {},
  },
  'login-row-locked': {
    text: ({ login, holders }) => {
      const who = describeHolders(holders, '');
      return `${login} cannot be altered, because its row in pg_authid is locked${who && ` by a transaction that is still open: ${who}`}`;
    },
    advice: ({ holders }) =>
      ['keyturn tries again', adviseEnding(holders)].filter((part) => part !== undefined).join('; '),
    means:
      'Somebody altered the login in a transaction that is still open. PostgreSQL lets nobody else alter it until that ends. keyturn tries again.',
    example: { login: 'orders_api_a', holders: [HOLDER] },
  },
  'sessions-hidden': {
    text: ({ rotator, replica }) =>
      `${beginning({ replica })}The rotator ${rotator} may not see the sessions of other roles`,
    advice: ({ replica }) => withReplica(undefined, replica),
    means:
      'The rotator lacks pg_read_all_stats. Without it every login would look unused, so keyturn counts nothing.',
    example: { rotator: 'keyturn' },
  },
};

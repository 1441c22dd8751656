import type { SharedStateFacts } from '../../facts/doctor/shared-state-facts.ts';
import type { Messages } from '../message.ts';

export const sharedStateMessages: Messages<SharedStateFacts> = {
  'state-database-ready': {
    text: () => 'the state database has the ledger',
    means: 'The state database can be reached and written to.',
    example: {},
  },
  'state-database-read-only': {
    text: () => 'the state database is read-only, so nothing rotates',
    advice:
      'it is a standby server, or default_transaction_read_only is on there; point state.database at the primary',
    means: 'The ledger can be read, and nothing can be written to it.',
    example: {},
  },
  'state-database-fails': {
    text: ({ cause }, _tell, quote) => `the state database: ${quote.text(cause)}`,
    advice: ({ cause }, quote) => quote.advice(cause) ?? 'check state.database, and that its server is up',
    means: 'The ledger cannot be used. The message says why.',
    example: { cause: { code: 'unexpected', params: { text: 'state.internal:5432: connection refused' } } },
  },
  'state-database-open-to-public': {
    text: ({ database }) =>
      `every login of the server may connect to the state database ${database}, which is PostgreSQL's default`,
    means:
      'Whoever may connect to a database may hold locks in it and use up its connections, and so hold rotations up.',
    example: { database: 'keyturn' },
  },
  'queue-skipped': {
    text: ({ because }) =>
      `the queue is not looked at without ${because === 'state-down' ? 'the state database' : 'a state database to write to'}`,
    means: 'The queue was not checked, because the state database has a finding of its own.',
    example: { because: 'state-down' },
  },
  'workers-running': {
    text: ({ workers }) => `workers that are up: ${workers}`,
    means: 'So many workers take rotations from the queue.',
    example: { workers: 2 },
  },
  'no-worker-running': {
    text: () => 'no worker is running, so nothing rotates by itself',
    advice: 'start one',
    means: 'No process of `keyturn start` is connected to the queue.',
    example: {},
  },
  'state-clock-differs': {
    text: ({ aheadSeconds, refused }) =>
      `the clock of this machine is ${Math.abs(aheadSeconds)} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} the state database's, by which slots, graces and deadlines are counted${refused ? ', and no rotation is opened from here until they agree' : ''}`,
    advice: 'set the one that is wrong (NTP)',
    means:
      'The clock of the machine that keyturn runs on and that of the state database differ by 30 s or more. From 5 minutes on no rotation is opened.',
    example: { aheadSeconds: 312, refused: true },
  },
  'ledger-instant-in-future': {
    text: ({ at }) =>
      `the ledger has the instant ${at}, which lies in the future: it was written while a clock was wrong, and is not counted`,
    advice:
      'have the state database and the machines of keyturn follow a time server (NTP); the schedule goes on',
    means: 'An instant in the ledger is later than now.',
    example: { at: '2027-01-05T02:30:00.000Z' },
  },
  'folder-exposed': {
    text: ({ path, mode, to, may }) =>
      `the folder ${path} may be ${may === 'write' ? 'written to' : 'looked into'} by ${to === 'group' ? 'its group' : 'every user'} (mode ${mode})`,
    advice: ({ to, may }) =>
      `close it, unless that is meant: chmod ${to === 'group' ? 'g' : 'o'}-${may === 'write' ? 'w' : 'rwx'}`,
    means: 'More users than necessary may use a folder of a file store. It stops no rotation.',
    example: { store: 'files', path: '/srv/secrets', mode: '0755', to: 'others', may: 'read' },
  },
};

import type { StateFacts } from '../facts/state-facts.ts';
import { describeHolders } from './database/describe-session.ts';
import { embeddedMessages } from './database/embedded-messages.ts';
import type { Messages } from './message.ts';

export const stateMessages: Messages<StateFacts> = {
  ...embeddedMessages,
  recorded: {
    text: ({ text }) => text,
    means: 'An earlier release of keyturn wrote this into its ledger, when the ledger kept sentences.',
    example: { text: 'orders-db:5432: connection refused' },
  },
  unexpected: {
    text: ({ text }) => text,
    means:
      'An error that keyturn has no code for, in the words of whoever reported it. A rotation tries again.',
    example: { text: 'read ECONNRESET' },
  },
  'rotation-open-already': {
    text: ({ policy, rotation }) =>
      `Policy ${policy} has a rotation open already${rotation === null ? '' : ` (${rotation.id}, requested ${rotation.requestedAt} by ${rotation.requestedBy})`}`,
    means: 'A policy has one open rotation at most. Another one can begin once that has ended.',
    example: {
      policy: 'orders-api',
      rotation: {
        id: '7f5f2a9e-9a0b-4a7f-8d8e-0c9a2c1d3e4f',
        requestedAt: '2026-01-31T10:00:00.000Z',
        requestedBy: 'margaret@ops-1',
        publishedAt: null,
      },
    },
  },
  'clock-wrong': {
    text: ({ machine, database }) =>
      `The clock of this machine says ${machine}, that of the state database says ${database}. No rotation is opened while they differ by 5 minutes or more`,
    advice:
      "Set the one that is wrong (NTP), then try again; a rotation that is open goes on, by the state database's clock",
    means:
      'Slots, graces and deadlines are counted by the clock of the state database. A difference this large means that one of the two clocks is wrong. An emergency is opened all the same.',
    example: { machine: '2026-01-31T10:00:00.000Z', database: '2026-01-31T09:00:00.000Z' },
  },
  'clock-differs': {
    text: ({ ahead, refuses }) =>
      `the clock of this machine is ${Math.round(Math.abs(ahead) / 1_000)} s ${ahead > 0 ? 'ahead of' : 'behind'} the state database's, by which slots, graces and deadlines are counted${refuses ? ', and no rotation is opened from here until they agree' : ''}`,
    advice: 'set the one that is wrong (NTP)',
    means: 'This machine and the state database do not agree on the time.',
    example: { ahead: 42_000, refuses: false },
  },
  'instant-in-future': {
    text: ({ at }) =>
      `the ledger has the instant ${at}, which lies in the future: it was written while a clock was wrong, and is not counted`,
    means: 'A clock was wrong when the ledger was written. No rotation waits for that instant.',
    example: { at: '2027-01-31T10:00:00.000Z' },
  },
  'ledger-newer': {
    text: ({ version, known }) => `The ledger is at version ${version}, this keyturn knows ${known}`,
    advice: 'run the newer keyturn',
    means: 'A newer release of keyturn has updated the tables of the ledger. They are never turned back.',
    example: { version: 9, known: 8 },
  },
  'ledger-tables-locked': {
    text: ({ holders, seconds }) =>
      `the tables in schema keyturn of the state database are locked by ${describeHolders(holders, 'another session')}, for longer than ${seconds} s`,
    advice: ({ holders }) =>
      holders.some(({ pid }) => pid !== null)
        ? 'try again once that is over; if it lasts, end it as a superuser or a member of pg_signal_backend'
        : 'try again once that is over',
    means: 'This release has to update its tables, and somebody else holds a lock on them.',
    example: {
      seconds: 10,
      holders: [
        {
          pid: 4711,
          login: 'postgres',
          application: 'psql',
          state: 'idle in transaction',
          since: null,
          prepared: null,
        },
      ],
    },
  },
  'state-schema-shared': {
    text: ({ schema, role }) =>
      `${role ?? 'Everybody'} may create in schema ${schema} of the state database, so its code could run with keyturn's rights`,
    means: 'Sessions of keyturn search this schema. Nobody else may create anything in it.',
    example: { schema: 'keyturn', role: 'reporting' },
  },
  'state-schema-intruded': {
    text: ({ schema, role, object }) =>
      `${object} in schema ${schema} of the state database belongs to ${role ?? 'another role'}, whose code could run with keyturn's rights`,
    advice: 'drop it, or name another database in state.database',
    means: 'Another role owns something in a schema that sessions of keyturn search.',
    example: { schema: 'keyturn', role: 'reporting', object: 'function keyturn.max(text)' },
  },
  'state-tables-forbidden': {
    text: ({ schema, detail }) => `the tables in schema ${schema} cannot be made or updated: ${detail}`,
    advice: ({ schema, isForeign }) =>
      isForeign
        ? `${schema} there belongs to another role; name that one in state.database, or another database`
        : undefined,
    means: 'The login of the state database lacks a right that keyturn needs for its own tables.',
    example: { schema: 'keyturn', detail: 'permission denied for database keyturn', isForeign: false },
  },
  'state-read-only': {
    text: ({ server, detail }) =>
      `${server ?? 'the state database'} is read-only${detail === null ? '' : `: ${detail}`}`,
    advice:
      'it is a standby server, or default_transaction_read_only is on there; point state.database at the primary',
    means: 'The state database takes no changes, so nothing can be rotated.',
    example: {
      server: 'db.internal:5432',
      detail: 'cannot execute INSERT in a read-only transaction',
    },
  },
  'state-fault': {
    text: ({ detail }) => `the state database has a fault: ${detail}`,
    means: 'A session of the state database was lost. The next question opens another one.',
    example: { detail: 'Connection terminated unexpectedly' },
  },
  'embedded-ended': {
    text: () => 'the embedded PostgreSQL has ended while it is in use; it is started again',
    means:
      'Somebody or the system ended the PostgreSQL that comes with keyturn. It is started again at once.',
    example: {},
  },
  'embedded-runs-again': {
    text: () => 'the embedded PostgreSQL runs again',
    means: 'The PostgreSQL that comes with keyturn ended before, and answers again.',
    example: {},
  },
};

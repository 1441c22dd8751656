import type { StateFacts } from '../facts/state-facts.ts';
import type { Messages } from './message.ts';

export const stateMessages: Messages<StateFacts> = {
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

import type { StateFacts } from '../facts/state-facts.ts';
import { embeddedMessages } from './embedded-messages.ts';
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
};

import type { CommandFacts } from '../facts/command-facts.ts';
import type { Messages } from './message.ts';

export const commandMessages: Messages<CommandFacts> = {
  'connection-not-configured': {
    text: ({ connection }) => `No connection ${connection} is configured any more`,
    advice: 'put it back under connections, with the database in which the logins are',
    means:
      'Logins were made on a connection that is not in the configuration any more, so it cannot reach them.',
    example: { connection: 'orders-db' },
  },
};

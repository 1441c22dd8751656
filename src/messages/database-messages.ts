import type { DatabaseFacts } from '../facts/database-facts.ts';
import { lockMessages } from './database/lock-messages.ts';
import { serverMessages } from './database/server-messages.ts';
import { tlsMessages } from './database/tls-messages.ts';
import type { Messages } from './message.ts';

export const databaseMessages: Messages<DatabaseFacts> = {
  ...lockMessages,
  ...serverMessages,
  ...tlsMessages,
};

import type { DatabaseFacts } from '../facts/database-facts.ts';
import { lockMessages } from './lock-messages.ts';
import type { Messages } from './message.ts';
import { serverMessages } from './server-messages.ts';
import { tlsMessages } from './tls-messages.ts';

export const databaseMessages: Messages<DatabaseFacts> = {
  ...lockMessages,
  ...serverMessages,
  ...tlsMessages,
};

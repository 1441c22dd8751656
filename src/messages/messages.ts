import type { FactParams } from '../facts/fact.ts';
import { checkMessages } from './check-messages.ts';
import { commandMessages } from './command-messages.ts';
import { configMessages } from './config-messages.ts';
import { databaseMessages } from './database-messages.ts';
import { doctorMessages } from './doctor-messages.ts';
import { eventMessages } from './event-messages.ts';
import type { Messages } from './message.ts';
import { queueMessages } from './queue-messages.ts';
import { rolesMessages } from './roles-messages.ts';
import { rotationMessages } from './rotation-messages.ts';
import { stateMessages } from './state-messages.ts';
import { storeMessages } from './store-messages.ts';

/** The English of every code. */
export const MESSAGES: Messages<FactParams> = {
  ...checkMessages,
  ...commandMessages,
  ...configMessages,
  ...databaseMessages,
  ...doctorMessages,
  ...eventMessages,
  ...queueMessages,
  ...rolesMessages,
  ...rotationMessages,
  ...stateMessages,
  ...storeMessages,
};

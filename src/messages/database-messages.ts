import type { DatabaseFacts } from '../facts/database-facts.ts';
import type { Messages } from './message.ts';

export const databaseMessages: Messages<DatabaseFacts> = {};

import type { StoreFacts } from '../facts/store-facts.ts';
import type { Messages } from './message.ts';

export const storeMessages: Messages<StoreFacts> = {};

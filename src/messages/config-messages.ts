import type { ConfigFacts } from '../facts/config-facts.ts';
import type { Messages } from './message.ts';

export const configMessages: Messages<ConfigFacts> = {};

import type { CheckFacts } from '../facts/check-facts.ts';
import type { Messages } from './message.ts';

export const checkMessages: Messages<CheckFacts> = {};

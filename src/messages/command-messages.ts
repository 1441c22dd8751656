import type { CommandFacts } from '../facts/command-facts.ts';
import type { Messages } from './message.ts';

export const commandMessages: Messages<CommandFacts> = {};

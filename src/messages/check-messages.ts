import type { CheckFacts } from '../facts/check-facts.ts';
import { grantMessages } from './check/grant-messages.ts';
import { loginMessages } from './check/login-messages.ts';
import { outsideChangeMessages } from './check/outside-change-messages.ts';
import { refusalMessages } from './check/refusal-messages.ts';
import { checkServerMessages } from './check/server-messages.ts';
import { checkUseMessages } from './check/use-messages.ts';
import type { Messages } from './message.ts';

export const checkMessages: Messages<CheckFacts> = {
  ...grantMessages,
  ...loginMessages,
  ...outsideChangeMessages,
  ...refusalMessages,
  ...checkServerMessages,
  ...checkUseMessages,
};

import type { CheckFacts } from '../facts/check-facts.ts';
import { grantMessages } from './check/grant-messages.ts';
import { loginMessages } from './check/login-messages.ts';
import { outsideChangeMessages } from './check/outside-change-messages.ts';
import { recoveryMessages } from './check/recovery-messages.ts';
import { checkServerMessages } from './check/server-messages.ts';
import { checkUseMessages } from './check/use-messages.ts';
import type { Messages } from './message.ts';

export const checkMessages: Messages<CheckFacts> = {
  ...grantMessages,
  ...loginMessages,
  ...outsideChangeMessages,
  ...recoveryMessages,
  ...checkServerMessages,
  ...checkUseMessages,
  'check-refused': {
    text: ({ findings }, _tell, quote) => findings.map(quote.words).join('; '),
    means:
      'Something that keyturn found stops a rotation, or a change of roles. The message lists all of it; each has a code of its own on this page. The statements that put it right come together at the end.',
    example: {
      findings: [
        { code: 'server-is-standby', params: { server: 'db.internal:5432' } },
        { code: 'login-expired', params: { login: 'orders_api_b' } },
      ],
    },
  },
};

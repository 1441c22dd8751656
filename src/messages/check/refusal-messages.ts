import type { RefusalFacts } from '../../facts/check/refusal-facts.ts';
import type { Messages } from '../message.ts';

export const refusalMessages: Messages<RefusalFacts> = {
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

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
  'window-over': {
    text: ({ slot, end }) =>
      `The window of the slot ${slot} was over at ${end}, before the rotation could start; the next slot is not affected`,
    means:
      "A rotation waited for a worker, or for its database, until the schedule's `window` had ended. It is left to the next slot.",
    example: { slot: '2026-01-05T02:30:00.000Z', end: '2026-01-05T04:30:00.000Z' },
  },
  'published-version-replaced': {
    text: ({ destination, publishedAt, outgoing }) =>
      `${destination} no longer publishes what this rotation published on ${publishedAt}${outgoing === null ? '' : `, so ${outgoing} is not revoked`}`,
    advice: 'find out who changed the secret, then rotate again',
    means:
      'Somebody replaced what a rotation had published before it was done. The rotation ends, and revokes nothing.',
    example: {
      destination: 'aws (primary)',
      publishedAt: '2026-01-05T02:30:09.000Z',
      outgoing: 'orders_api_a',
    },
  },
};

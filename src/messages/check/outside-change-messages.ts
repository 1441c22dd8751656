import type { OutsideChangeFacts, PublicationFact } from '../../facts/check/outside-change-facts.ts';
import type { Messages } from '../message.ts';

export const LAST: PublicationFact = {
  rotation: '0f3c2a52-6a1e-4b5f-9d0e-1c2b3a4d5e6f',
  endedAt: '2026-01-05T02:31:07.000Z',
};
export const PRIMARY = 'aws (primary)';

export const outsideChangeMessages: Messages<OutsideChangeFacts> = {
  'primary-emptied': {
    text: ({ destination, last }) =>
      `${destination} publishes nothing, though ${describeLast(last)}; the secret was deleted or emptied, or the policy names another`,
    advice: 'put the credential in use back',
    means: 'The secret that consumers read has no version, though this ledger published one.',
    example: { destination: PRIMARY, last: LAST },
  },
  'published-username-unknown': {
    text: ({ username, logins }) =>
      username === null
        ? 'The secret of the published username is empty'
        : `The published username is ${JSON.stringify(username)}, which is neither ${logins.join(' nor ')}`,
    advice: "correct the secret or the policy's logins",
    means: "The secret that consumers read names a login that is not one of the policy's two.",
    example: { username: 'postgres', logins: ['orders_api_a', 'orders_api_b'] },
  },
  'published-username-not-rotator': {
    text: ({ username, rotator }) =>
      username === null
        ? 'The secret of the published username is empty'
        : `The published username is ${JSON.stringify(username)}, which is not the rotator ${rotator}`,
    advice: "correct the secret, or the policy's connection",
    means: 'The secret of a rotator policy names another login than the rotator of its connection.',
    example: { username: 'postgres', rotator: 'keyturn' },
  },
  'primary-changed': {
    text: ({ destination, last }) =>
      `${destination} was changed outside keyturn since ${describeLast(last)}, or the ledger was restored from a backup`,
    means: 'Somebody else changed the secret that consumers read. What it publishes logs in.',
    example: { destination: PRIMARY, last: LAST },
  },
  'primary-changed-and-refused': {
    text: ({ destination, last, refusal }, tell) =>
      `${destination} was changed outside keyturn since ${describeLast(last)}, or the ledger was restored from a backup; and consumers that read it are refused now: ${tell(refusal)}`,
    advice: ({ login }) => `put the password of ${login} right`,
    means: 'Somebody else changed the secret that consumers read, and PostgreSQL refuses what it publishes.',
    example: {
      destination: PRIMARY,
      last: LAST,
      login: 'orders_api_a',
      refusal: { code: 'published-without-password', params: { destination: PRIMARY } },
    },
  },
  'published-without-password': {
    text: ({ destination }) => `${destination} publishes no password`,
    means: 'The secret that consumers read has a username and no password.',
    example: { destination: PRIMARY },
  },
  'rotator-secret-emptied': {
    text: ({ destination }) => `${destination} publishes nothing any more`,
    means: 'The secret of a rotator policy has no version, though this ledger published one.',
    example: { destination: PRIMARY },
  },
  'rotator-secret-changed': {
    text: ({ destination }) => `${destination} was changed outside keyturn`,
    means: 'Somebody else changed the secret of a rotator policy.',
    example: { destination: PRIMARY },
  },
  'destination-empty': {
    text: ({ destination }) => `${destination} publishes nothing`,
    means: 'A destination other than the primary has no version, though this ledger published one.',
    example: { destination: 'files (2)' },
  },
  'destination-changed': {
    text: ({ destination }) => `${destination} publishes what keyturn did not put there`,
    means: 'Somebody else changed the secret of a destination other than the primary.',
    example: { destination: 'files (2)' },
  },
  'pending-version-unknown': {
    text: ({ destination, tokens }) =>
      `${destination} has a pending version ${tokens.join(' and ')} that this ledger does not know`,
    advice: 'find out whether another rotation is under way there',
    means:
      'A version is staged that no rotation of this ledger staged. Another installation of keyturn, or another tool, may be rotating the same secret.',
    example: { destination: PRIMARY, tokens: [LAST.rotation] },
  },
  'pending-version-of-open-rotation': {
    text: ({ destination, rotation, policy }) =>
      `${destination} has a version pending that rotation ${rotation} of ${policy} staged, which is open`,
    advice: 'wait until that rotation has ended',
    means: 'Another rotation of this ledger uses the same secret and is not done.',
    example: { destination: PRIMARY, rotation: LAST.rotation, policy: 'orders-worker' },
  },
  'effect-as-first-rotation': {
    text: ({ unrevoked }) =>
      `starts as a first rotation does, with the login that has no sessions${unrevoked === null ? '' : `, and revokes nothing of ${JSON.stringify(unrevoked)}`}`,
    means: 'What a rotation does about an outside change: it chooses the login by its sessions alone.',
    example: { unrevoked: 'postgres' },
  },
  'effect-counts': {
    text: ({ login }) => `goes by what it publishes for ${login}, which logs in`,
    means: 'What a rotation does about an outside change: what is published now is what it starts from.',
    example: { login: 'orders_api_a' },
  },
  'effect-other-login': {
    text: ({ incoming, outgoing }) =>
      `gives ${incoming} a new password and publishes that, whatever the secret says of ${outgoing}`,
    means: 'What a rotation does about an outside change: the other login takes over.',
    example: { incoming: 'orders_api_b', outgoing: 'orders_api_a' },
  },
  'effect-fills': {
    text: () => 'fills it',
    means: 'What a rotation does about an outside change: it publishes there again.',
    example: {},
  },
  'effect-replaces': {
    text: () => 'replaces it',
    means: 'What a rotation does about an outside change: it publishes its own version there.',
    example: {},
  },
  'effect-discards-pending': {
    text: () => 'discards it, and with it what another ledger may be rotating there',
    means: 'What a rotation does about an outside change: the pending version is gone.',
    example: {},
  },
  'outside-change': {
    text: ({ found, effect, adopted }, _tell, quote) =>
      `${adopted ? 'adopted: ' : ''}${quote.text(found)}; this rotation ${quote.text(effect)}`,
    means: 'Somebody else changed a secret of the policy. A rotation goes on, and the message says how.',
    example: {
      found: { code: 'destination-changed', params: { destination: 'files (2)' } },
      effect: { code: 'effect-replaces', params: {} },
      adopted: false,
    },
  },
  'outside-changes-stop': {
    text: ({ changes }, _tell, quote) => changes.map(({ found }) => quote.text(found)).join('; '),
    advice: ({ changes }, quote) => {
      const instead = changes.map(({ found }) => quote.advice(found) ?? 'put it right').join('; ');
      return `${instead}; or take it over, which ${changes.map(({ effect }) => quote.text(effect)).join(' and ')}`;
    },
    means:
      'Somebody else changed the secrets of the policy. No rotation begins until that is put right, or is taken over with `--adopt`.',
    example: {
      changes: [
        {
          found: {
            code: 'pending-version-unknown',
            params: { destination: PRIMARY, tokens: [LAST.rotation] },
          },
          effect: { code: 'effect-discards-pending', params: {} },
        },
      ],
    },
  },
};

export function describeLast({ rotation, endedAt }: PublicationFact): string {
  return `rotation ${rotation} published there and ended on ${endedAt}`;
}

import type { LoginFacts } from '../../facts/check/login-facts.ts';
import { describeLoginDifference } from '../database/describe-difference.ts';
import type { Messages } from '../message.ts';

const VALID_UNTIL = '2026-03-01T00:00:00.000Z';

export const loginMessages: Messages<LoginFacts> = {
  'owner-missing': {
    text: ({ owner }) => `The owner ${owner} does not exist`,
    advice: create,
    means: "PostgreSQL has no role of the name that is the policy's `owner`.",
    example: { owner: 'orders_owner', policy: 'orders-api' },
  },
  'logins-missing': {
    text: ({ logins }) =>
      logins.length === 1
        ? `The login ${logins[0]} does not exist`
        : `The logins ${logins.join(' and ')} do not exist`,
    advice: create,
    means: "PostgreSQL has no role of the name of one of the policy's logins, or of both.",
    example: { logins: ['orders_api_a', 'orders_api_b'], policy: 'orders-api' },
  },
  'published-login-missing': {
    text: ({ login, incoming }) =>
      `The login ${login} is published and does not exist, so consumers are refused until ${incoming} takes its place; nothing of ${login} is revoked`,
    advice:
      'if it was renamed, shut it out under its new name; before the next rotation make it again with keyturn',
    means:
      'The login that consumers use was dropped or renamed. A rotation goes on, because the other login replaces it.',
    example: { login: 'orders_api_a', incoming: 'orders_api_b' },
  },
  'login-expired': {
    text: ({ login }) => `The login ${login} is past its VALID UNTIL`,
    means: 'PostgreSQL refuses the login, whatever its password is. No rotation moves `VALID UNTIL`.',
    example: { login: 'orders_api_b' },
  },
  'login-connection-limit-zero': {
    text: ({ login }) => `The login ${login} has CONNECTION LIMIT 0, so nobody can log in as it`,
    means: 'PostgreSQL refuses the login, whatever its password is.',
    example: { login: 'orders_api_b' },
  },
  'login-may-not-connect': {
    text: ({ login, database }) => `The login ${login} may not connect to the database ${database}`,
    means: "The login lacks `CONNECT` on the connection's database.",
    example: { login: 'orders_api_b', database: 'orders' },
  },
  'login-not-member-of-owner': {
    text: ({ login, owner }) => `The login ${login} is not a member of its owner ${owner}`,
    means: 'Both logins have to be members of the `owner`, so that each may use what the other made.',
    example: { login: 'orders_api_b', owner: 'orders_owner' },
  },
  'login-may-not-set-role': {
    text: ({ login, owner }) =>
      `The login ${login} may not SET ROLE to its owner ${owner}, though it is a member`,
    means:
      'The membership was granted `WITH SET FALSE`, so a session of the login cannot act as the `owner`.',
    example: { login: 'orders_api_b', owner: 'orders_owner' },
  },
  'login-creates-as-itself': {
    text: ({ login, owner }) => `What ${login} creates would not belong to the owner ${owner}`,
    means:
      'Sessions of the login have to start as the `owner` (`ALTER ROLE … SET role`). Otherwise what they create belongs to the login alone.',
    example: { login: 'orders_api_b', owner: 'orders_owner' },
  },
  'logins-differ': {
    text: ({ differences }) =>
      `The logins must differ in nothing but their names, but ${differences.map(describeLoginDifference).join(', ')}`,
    means:
      'The two logins have other attributes, memberships or settings, so consumers would notice a rotation. The statements in the message make them equal.',
    example: {
      differences: [
        {
          kind: 'setting',
          login: 'orders_api_a',
          other: 'orders_api_b',
          setting: { database: null, name: 'statement_timeout', value: '30s' },
        },
      ],
    },
  },
  'login-expires-soon': {
    text: ({ login, validUntil, days }) =>
      `nobody can log in as ${login} after its VALID UNTIL, ${validUntil}, which is over in less than ${days} days`,
    means: 'The login expires soon, and no rotation comes by itself. No rotation moves `VALID UNTIL`.',
    example: { login: 'orders_api_a', validUntil: VALID_UNTIL, days: 30 },
  },
  'login-expires-before-drained': {
    text: ({ login, validUntil, slot }) =>
      `nobody can log in as ${login} after its VALID UNTIL, ${validUntil}, which is over before the rotation of ${slot} has drained`,
    means:
      'The login expires before the next rotation has replaced it, or while it drains. No rotation moves `VALID UNTIL`.',
    example: { login: 'orders_api_a', validUntil: VALID_UNTIL, slot: '2026-03-02T02:30:00.000Z' },
  },
  'login-expires-alone': {
    text: ({ login, validUntil }) =>
      `only ${login} has VALID UNTIL ${validUntil}: what works for one login is refused to the other one day`,
    means: 'The two logins have another `VALID UNTIL`, so one of them expires while the other works.',
    example: { login: 'orders_api_a', validUntil: VALID_UNTIL },
  },
};

/** The command does what the statements of the fact do, so it is no remedy of its own. */
function create({ policy }: { readonly policy: string }): string {
  return `make what is missing with keyturn roles create ${policy}, or by hand`;
}

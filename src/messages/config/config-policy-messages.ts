import type { ConfigPolicyFacts, Duration } from '../../facts/config/config-policy-facts.ts';
import type { Messages } from '../message.ts';
import { placeText, valueText } from '../problems.ts';
import type { configFormatMessages } from './config-format-messages.ts';
import type { configPublishMessages } from './config-publish-messages.ts';

type PolicyCode = Exclude<
  keyof ConfigPolicyFacts,
  keyof typeof configPublishMessages | keyof typeof configFormatMessages
>;

const LOGIN = { kind: 'written', text: 'orders_a' } as const;
const CONNECTION = { kind: 'written', text: 'orders-db' } as const;

function durationText(duration: Duration): string {
  return duration.kind === 'default' ? `the default of ${duration.text}` : valueText(duration.value);
}

export const configPolicyMessages: Messages<Pick<ConfigPolicyFacts, PolicyCode>> = {
  'login-repeated': {
    text: ({ login }) => `${valueText(login)} is listed twice`,
    advice: 'must be two different logins',
    means: 'A policy names one login twice.',
    example: { login: LOGIN },
  },
  'login-in-two-policies': {
    text: ({ login, policy, other: { path, place } }) =>
      `${valueText(login)} is a login of policy "${policy}" too (${place === undefined ? path : placeText(place)}), on the same server`,
    advice: 'must be in one policy only',
    means:
      'Two policies of one server name the same login. Roles belong to the whole server, whatever database a connection leads to.',
    example: { login: LOGIN, policy: 'orders', other: { path: 'policies.orders.logins[0]' } },
  },
  'login-is-rotator': {
    text: ({ login, connection }) => `${valueText(login)} is the rotator of connection "${connection}"`,
    advice: 'must be a login that keyturn does not use itself',
    means: 'A policy would rotate the login with which keyturn connects. A policy of type rotator does that.',
    example: { login: LOGIN, connection: 'orders-db' },
  },
  'owner-is-login': {
    text: ({ owner, policy }) => `${valueText(owner)} is a login of policy "${policy}"`,
    advice: 'must be a role of its own that cannot log in',
    means: 'The owner of a policy is a login of a policy of the same server.',
    example: { owner: LOGIN, policy: 'orders' },
  },
  'rotator-key-useless': {
    text: () => "has no use with type rotator, whose only login is the connection's user",
    advice: 'leave it out',
    means: 'A policy of type rotator has logins, an owner or a drain.',
    example: { key: 'drain' },
  },
  'rotator-embedded': {
    text: ({ connection }) =>
      `${valueText(connection)} is the embedded PostgreSQL, whose rotator keyturn manages itself`,
    advice: 'must be a connection with host and user',
    means: 'A policy of type rotator names a connection to the embedded PostgreSQL.',
    example: { connection: CONNECTION },
  },
  'rotator-rotated-twice': {
    text: ({ connection, policy }) =>
      `${valueText(connection)} has the rotator that policy "${policy}" rotates already`,
    advice: 'must be one policy for each rotator',
    means: 'Two policies of type rotator have the same user on the same server.',
    example: { connection: CONNECTION, policy: 'rotator' },
  },
  'rotator-holds-state': {
    text: ({ connection }) =>
      `the rotator of ${valueText(connection)} is the login of state.database too, where its old password would stay`,
    advice: 'must be another login there',
    means:
      'A policy would rotate the login of the state database. A process that starts needs the ledger first, with the password that is configured for it.',
    example: { connection: CONNECTION },
  },
  'schedule-ambiguous': {
    text: () => 'cannot be combined with every',
    advice: 'must be one of the two',
    means: 'A schedule has both `every` and `cron`.',
    example: {},
  },
  'schedule-empty': {
    text: () => 'is missing',
    advice: 'must be there, such as every: 30d, or cron instead',
    means: 'A schedule has neither `every` nor `cron`.',
    example: {},
  },
  'time-of-day-useless': {
    text: ({ every }) =>
      every === undefined
        ? 'has no use with cron, which names its times'
        : `has no use with an interval of ${valueText(every)}`,
    advice: ({ every }) =>
      every === undefined ? 'leave it out' : 'leave it out, or set every to days or weeks such as 1d',
    means: 'A schedule has `at`, which only intervals of days or weeks use.',
    example: { every: { kind: 'written', text: '24h' } },
  },
  'longer-than-interval': {
    text: ({ duration, interval }) =>
      `${durationText(duration)} is longer than the time between two slots${interval === undefined ? '' : ` (${interval})`}`,
    advice: 'must be no longer',
    means: 'A window, a jitter or a grace lasts longer than from one slot to the next.',
    example: {
      duration: { kind: 'written', value: { kind: 'written', text: '25h' } },
      interval: '1d',
    },
  },
  'grace-longer-than-timeout': {
    text: ({ grace, timeout }) => `${durationText(grace)} is longer than timeout, ${durationText(timeout)}`,
    advice: 'must be no longer, as both begin at publish',
    means: 'The grace of a drain lasts longer than the drain itself.',
    example: {
      grace: { kind: 'written', value: { kind: 'written', text: '1h' } },
      timeout: { kind: 'default', text: '30m' },
    },
  },
};

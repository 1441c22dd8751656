import type { PolicyFacts } from '../../facts/doctor/policy-facts.ts';
import type { Messages } from '../message.ts';

const ROTATION = '0f3c2a52-6a1e-4b5f-9d0e-1c2b3a4d5e6f';
const SLOT = '2026-02-04T01:30:00.000Z';

export const policyMessages: Messages<PolicyFacts> = {
  'logins-skipped': {
    text: ({ connection }) => `the logins are not looked at: see the connection ${connection}`,
    means: 'The logins were not checked, because the connection has a finding of its own.',
    example: { connection: 'orders-db' },
  },
  'logins-alike': {
    text: () => 'both are there and differ in nothing but their names',
    means: 'The two logins exist and are equal in all that consumers could notice.',
    example: {},
  },
  'rotator-ready': {
    text: () => 'it can set and prove a password of its own',
    means: 'Nothing keeps the rotator from rotating its own password.',
    example: {},
  },
  'privileges-sufficient': {
    text: () => 'the rotator may do what a rotation takes',
    means: 'The rotator has every right that a rotation needs.',
    example: {},
  },
  'logins-own-nothing': {
    text: () => 'neither login owns anything itself',
    means: 'No object would be out of reach when the other login takes over.',
    example: {},
  },
  'connections-can-be-exhausted': {
    text: ({ logins, connections, rotator, because }) => {
      const why = {
        unsupported: 'PostgreSQL reserves none for it before version 16',
        'none-reserved': 'reserved_connections is 0',
        'not-member': `${rotator} is no member of pg_use_reserved_connections`,
      }[because];
      return `${logins.join(' and ')} may take all ${connections} connections of the server, and the rotator has none of its own (${why}): somebody with a leaked password could keep an emergency rotation out`;
    },
    advice: ({ reserve }) =>
      reserve === null
        ? undefined
        : `limit the logins, or reserve connections: ${reserve}, and reserved_connections = 3 in postgresql.conf, which takes a restart`,
    means:
      'The logins have no `CONNECTION LIMIT`. Whoever has a leaked password could open so many sessions that the rotator cannot connect.',
    example: {
      logins: ['orders_api_a', 'orders_api_b'],
      connections: 97,
      rotator: 'keyturn',
      because: 'not-member',
      reserve: 'GRANT pg_use_reserved_connections TO "keyturn"',
    },
  },
  'connections-left-for-rotator': {
    text: () => 'no leaked login could keep the rotator out by taking all connections',
    means: 'The logins are limited, or the rotator has connections of its own.',
    example: {},
  },
  'incoming-known': {
    text: ({ incoming, outgoing }) => `${incoming} would come in next, and ${outgoing} go out`,
    means: 'Nothing keeps the next rotation from beginning.',
    example: { incoming: 'orders_api_b', outgoing: 'orders_api_a' },
  },
  'incoming-skipped': {
    text: ({ because }) =>
      `which login would come in cannot be told ${because === 'state-down' ? 'without the state database' : 'before the findings above are put right'}`,
    means: 'Which login comes in next was not checked, because something else has a finding of its own.',
    example: { because: 'findings' },
  },
  'incoming-skipped-while-open': {
    text: ({ rotation }) => `rotation ${rotation} is open, so no other could begin`,
    means: 'Which login comes in next was not checked, because a rotation is on its way.',
    example: { rotation: ROTATION },
  },
  'connection-limit-in-use': {
    text: ({ incoming, outgoing, limit }) =>
      `${outgoing} has as many sessions as the CONNECTION LIMIT of ${incoming} lets in (${limit}), so none is left for verify when it is their turn`,
    means:
      'Consumers use as many sessions as the other login may have. After a rotation they could take them all.',
    example: { incoming: 'orders_api_b', outgoing: 'orders_api_a', limit: 20 },
  },
  'unpublished-logins-open': {
    text: ({ logins }) =>
      `nothing is published yet, but ${logins.join(' and ')} can log in: whoever does so now and then would be locked out by the first rotation`,
    advice:
      'if somebody does, put that username and password into the secret first; if nobody does, there is nothing to do',
    means:
      'The logins have passwords already, and none is in the secret. keyturn sees nobody who uses them at this instant.',
    example: { logins: ['orders_api_a'] },
  },
  'rotates-on-request': {
    text: () => 'rotates only when asked',
    means: 'The policy has no schedule, or `autoRotate` is off.',
    example: {},
  },
  'next-slot': {
    text: ({ at }) => `the next slot is ${at ?? 'never'}`,
    means: 'When the next rotation is due.',
    example: { at: SLOT },
  },
  'policy-paused': {
    text: ({ since, by }) => `paused since ${since}${by === null ? '' : ` by ${by}`}: no slot is served`,
    advice: 'let it go on',
    means: 'Somebody paused the policy, so it rotates only when asked.',
    example: { since: SLOT, by: 'margaret' },
  },
  'slot-overdue': {
    text: ({ slot }) => `the slot ${slot} has come and no worker acted on it`,
    advice: 'see that a worker runs with this configuration',
    means: 'A rotation is due, and none was opened.',
    example: { slot: SLOT },
  },
  'rotation-stuck': {
    text: ({ rotation, cause }, tell) => `rotation ${rotation} is stuck and tried again: ${tell(cause)}`,
    means: 'A rotation failed at a step, and is tried again until it goes on. The message says why.',
    example: {
      rotation: ROTATION,
      cause: { code: 'unexpected', params: { text: 'aws: the service does not answer' } },
    },
  },
  'rotation-failed': {
    text: ({ at, cause }, tell) => `the last rotation failed on ${at}: ${tell(cause)}`,
    advice: ({ adopt }) =>
      adopt
        ? 'once that is put right, take over what was changed in the secret'
        : 'once that is put right, rotate, or wait for the schedule',
    means: 'The last rotation of the policy ended without a new credential. The message says why.',
    example: { at: SLOT, cause: { code: 'login-expired', params: { login: 'orders_api_b' } }, adopt: false },
  },
};

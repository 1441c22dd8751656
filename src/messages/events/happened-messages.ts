import type { HappenedFacts } from '../../facts/events/happened-facts.ts';
import type { Messages } from '../message.ts';

const ROTATION = '7f5f2a9e-9a0b-4a7f-8d8e-0c9a2c1d3e4f';
const CAUSE = {
  code: 'server-unreachable',
  params: { place: 'db.internal:5432', detail: 'connection refused' },
} as const;

export const happenedMessages: Messages<HappenedFacts> = {
  'rotation-started': {
    text: ({ rotation, reason, by }) => `rotation ${rotation} has started (${reason}, requested by ${by})`,
    means: 'The event `rotation.started`: a worker has begun with a rotation.',
    example: { rotation: ROTATION, reason: 'schedule', by: 'schedule' },
  },
  'rotation-published': {
    text: ({ rotation, login, isBack }) =>
      isBack
        ? `rotation ${rotation} was rolled back: consumers read ${login ?? 'the former login'} again`
        : `rotation ${rotation} is published: consumers read ${login ?? 'the new password'} from now on`,
    means: 'The event `rotation.published`: every destination has the new version as current.',
    example: { rotation: ROTATION, login: 'orders_api_b', isBack: false },
  },
  'rotation-drained': {
    text: ({ rotation, login }) =>
      `rotation ${rotation} no longer waits for ${login ?? 'the outgoing login'}, which is revoked next`,
    means:
      'The event `rotation.drained`: nobody uses the outgoing login any more, or the deadline has passed and the policy says to end its sessions.',
    example: { rotation: ROTATION, login: 'orders_api_a' },
  },
  'rotation-completed': {
    text: ({ rotation, incoming, outgoing }) =>
      outgoing === null
        ? `rotation ${rotation} is done: ${incoming ?? 'the rotator'} has a new password`
        : `rotation ${rotation} is done: ${incoming} is active, and ${outgoing} is revoked`,
    means: 'The event `rotation.completed`: all steps of a rotation are done.',
    example: { rotation: ROTATION, incoming: 'orders_api_b', outgoing: 'orders_api_a' },
  },
  'rotation-ended': {
    text: ({ rotation, cause }, _tell, { text }) =>
      `rotation ${rotation} is over without success${cause === null ? '' : `: ${text(cause)}`}`,
    advice: ({ cause }, { advice }) => (cause === null ? undefined : advice(cause)),
    means:
      'The event `rotation.failed`: a rotation failed before publish, was cancelled, or was rolled back. `cause` says which.',
    example: { rotation: ROTATION, cause: CAUSE },
  },
  'rotation-keeps-failing': {
    text: ({ rotation, attempts, cause }, _tell, { text }) =>
      `rotation ${rotation} has failed ${attempts} times in a row and is retried${cause === null ? '' : `: ${text(cause)}`}`,
    advice: ({ cause }, { advice }) => (cause === null ? undefined : advice(cause)),
    means:
      'The event `rotation.failed` of a rotation that goes on: it is told once for each rotation, after five failures in a row.',
    example: { rotation: ROTATION, attempts: 5, cause: CAUSE },
  },
  'rotation-works-again': {
    text: ({ rotation }) => `rotation ${rotation} worked, after the policy had failed or was overdue`,
    means:
      'The event `rotation.recovered`: the first rotation that is done after `rotation.failed` or `rotation.overdue`.',
    example: { rotation: ROTATION },
  },
  'rotation-overdue': {
    text: ({ slot }) => `no worker has acted on the slot ${slot}`,
    advice: 'see whether a worker was up, and what keyturn doctor says',
    means:
      'The event `rotation.overdue`: a slot came more than 150 s ago and no rotation was opened. It is told once for each slot, by the worker that finds it.',
    example: { slot: '2026-01-31T02:30:00.000Z' },
  },
  'credential-created': {
    text: ({ logins }) => `made ${logins.join(' and ')}`,
    means: 'The event `credential.created`: `keyturn roles create` or `repair` made logins of the policy.',
    example: { logins: ['orders_api_a', 'orders_api_b'] },
  },
  'credential-deleted': {
    text: ({ logins }) => `dropped or shut out ${logins.join(' and ')}`,
    means:
      'The event `credential.deleted`: `keyturn roles drop` dropped logins of the policy, or shut them out where something still depends on them.',
    example: { logins: ['orders_api_a', 'orders_api_b'] },
  },
  'event-test': {
    text: ({ sink }) => `this is a test of the sink ${sink}; nothing has happened`,
    means: 'The event that `keyturn events test` sends.',
    example: { sink: 'ops' },
  },
};

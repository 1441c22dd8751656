import type { EndFacts } from '../../facts/rotation/end-facts.ts';
import type { Messages } from '../message.ts';

const ROTATION = '7f5f2a9e-9a0b-4a7f-8d8e-0c9a2c1d3e4f';

export const endMessages: Messages<EndFacts> = {
  'rotation-cancelled': {
    text: ({ by }) => `cancelled by ${by}`,
    means: 'Somebody ended the rotation before it was published.',
    example: { by: 'margaret@ops-1' },
  },
  'rotation-rolled-back': {
    text: ({ by }) => `rolled back by ${by}`,
    means: 'Somebody had the rotation go back: the version before is published again.',
    example: { by: 'margaret@ops-1' },
  },
  'rotation-superseded': {
    text: ({ rotation }) => `Rotation ${rotation} was ended or rolled back meanwhile`,
    means:
      'Another process ended the rotation or turned it round while this one ran it. This one changes nothing any more.',
    example: { rotation: ROTATION },
  },
  'cancel-after-publish': {
    text: () => 'Too late to cancel: the new login is published',
    advice: ({ endsByItself }) => {
      if (endsByItself === 'emergency') return 'it is an emergency and ends by itself';
      if (endsByItself === 'rolled-back') return 'it is rolled back and ends by itself';
      return 'undo it instead';
    },
    means: 'A rotation can be cancelled only before it is published. From there it goes on, or back.',
    example: { rotation: ROTATION, destination: 'aws (primary)', endsByItself: null },
  },
  'cancel-after-set': {
    text: ({ rotation, login }) =>
      `Rotation ${rotation} has given ${login} its new password already, and the old one is refused; it can only go on`,
    means: "A rotation of the rotator's own password has no way back once the password is set.",
    example: { rotation: ROTATION, login: 'keyturn' },
  },
  'rollback-of-rotator': {
    text: ({ policy }) =>
      `Policy ${policy} rotates the rotator's own password: the one before is refused already, there is no way back`,
    advice: 'rotate again',
    means: "A policy of the rotator's own password has one login, so there is nothing to go back to.",
    example: { policy: 'rotator' },
  },
  'rollback-begun-already': {
    text: ({ rotation, by }) => `Rotation ${rotation} is being rolled back already, by ${by}`,
    means: 'Somebody asked for it before.',
    example: { rotation: ROTATION, by: 'margaret@ops-1' },
  },
  'rollback-of-emergency': {
    text: ({ rotation }) =>
      `Rotation ${rotation} is an emergency: it takes a leaked password out of use, which must not come back`,
    means: 'An emergency is not rolled back.',
    example: { rotation: ROTATION },
  },
  'rollback-before-publish': {
    text: ({ rotation }) => `Rotation ${rotation} is not published yet`,
    advice: 'cancel it instead',
    means: 'There is nothing to go back from: consumers still read the old credential.',
    example: { rotation: ROTATION },
  },
  'rollback-after-revoke': {
    text: ({ login }) => `${login} is revoked already, there is no way back`,
    advice: 'rotate again',
    means: 'The outgoing login cannot log in any more.',
    example: { login: 'orders_api_a' },
  },
  'rollback-without-version': {
    text: ({ destination }) => `${destination} has no version of keyturn's to go back to`,
    advice: 'put the old credential there by hand, or rotate again',
    means: 'What was published before this rotation was not of keyturn, or is gone.',
    example: { destination: 'aws (primary)' },
  },
  'rollback-to-different-versions': {
    text: ({ policy }) => `The destinations of ${policy} did not publish the same version before`,
    advice: 'put the old credential there by hand, or rotate again',
    means: 'There is no one version that all destinations could go back to.',
    example: { policy: 'orders-api' },
  },
};

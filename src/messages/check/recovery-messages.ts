import { counted } from '../../counted.ts';
import type { PublicationFact } from '../../facts/check/outside-change-facts.ts';
import type { RecoveryFacts } from '../../facts/check/recovery-facts.ts';
import type { Messages } from '../message.ts';
import { describeLast, LAST, PRIMARY } from './outside-change-messages.ts';

const OLDER = '6c3d8a14-9b1f-4c8e-a2d7-5e0f1a2b3c4d';

export const recoveryMessages: Messages<RecoveryFacts> = {
  'primary-older': {
    text: ({ destination, rotation, last }) =>
      `${destination} publishes the version of rotation ${rotation} again, though ${describeLast(last)}; the store was restored from a backup, or somebody put that version back`,
    means:
      'The secret that consumers read has an older version of the same policy again. What it publishes logs in.',
    example: { destination: PRIMARY, rotation: OLDER, last: LAST },
  },
  'primary-older-and-refused': {
    text: ({ destination, rotation, last, refusal }, tell) =>
      `${destination} publishes the version of rotation ${rotation} again, though ${describeLast(last)}, and consumers that read it are refused now: ${tell(refusal)}`,
    means:
      'The store was restored from a backup, or somebody put an older version of the same policy back. keyturn brings no older password back: a rotation publishes a new one.',
    example: {
      destination: PRIMARY,
      rotation: OLDER,
      last: LAST,
      login: 'orders_api_a',
      refusal: { code: 'published-without-password', params: { destination: PRIMARY } },
    },
  },
  'publication-unknown': {
    text: ({ destination, version }) =>
      `${destination} publishes version ${version}, and this ledger knows no rotation of the policy. If keyturn published it, the ledger was lost: its history, pauses and levels of access are gone`,
    means:
      'The policy is new to the ledger, and its secret is not empty. Either somebody put the credential there, or the ledger was lost.',
    example: { destination: PRIMARY, version: OLDER },
  },
  'publication-unfinished': {
    text: ({ destination, version, outgoing, sessions }) =>
      `${destination} publishes version ${version}, which this ledger does not know, and ${outgoing} can still log in and has ${counted(sessions, 'session')}`,
    advice: ({ outgoing }) => `wait until nobody uses ${outgoing}`,
    means:
      'A rotation published and was still draining when the ledger was lost, or restored from a backup. Nobody revokes its outgoing login.',
    example: { destination: PRIMARY, version: OLDER, outgoing: 'orders_api_a', sessions: 3 },
  },
  'effect-refused-login': {
    text: ({ incoming, outgoing }) =>
      `gives ${incoming}, which is refused, a new password and publishes that, because ${outgoing} is in use`,
    means:
      'What a rotation does about an outside change: nobody can use the published login, so that one gets a new password, and the login in use drains.',
    example: { incoming: 'orders_api_a', outgoing: 'orders_api_b' },
  },
  'effect-goes-on': {
    text: ({ rotation, outgoing }) =>
      `goes on with rotation ${rotation}, which drains and revokes ${outgoing}`,
    means: 'What a rotation does about an outside change: it ends the rotation that the ledger has lost.',
    example: { rotation: OLDER, outgoing: 'orders_api_a' },
  },
  'publication-recovered': {
    text: ({ destination, version, last }) =>
      `${destination} publishes version ${version}, which logs in and the ledger did not know, so keyturn goes on from it. Unless somebody changed the secret, the ledger was lost or restored from a backup: ${lostSince(last)}`,
    advice: 'pause again what was paused',
    means:
      'A ledger that was lost, or restored from a backup, has taken over what is published. The same is said, once, where somebody put another version with a working credential into the secret.',
    example: { destination: PRIMARY, version: OLDER, last: LAST },
  },
  'rotation-recovered': {
    text: ({ destination, version, outgoing, last }) =>
      `${destination} publishes version ${version}, which logs in and the ledger did not know, and ${outgoing} can still log in. So the ledger was restored from a backup, and the rotation goes on: it drains and revokes ${outgoing}. ${capital(lostSince(last))}`,
    means:
      'The ledger was restored from a backup that is older than a rotation which was still draining. That rotation goes on; its grace counts from now.',
    example: { destination: PRIMARY, version: OLDER, outgoing: 'orders_api_a', last: LAST },
  },
};

function lostSince(last: PublicationFact | null): string {
  const history = last === null ? 'all earlier history' : `the history after ${last.endedAt}`;
  return `${history} is lost, with the pauses and levels of access that were chosen then`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

import type { Fact } from '../facts/fact.ts';
import type { RotationFacts } from '../facts/rotation-facts.ts';
import type { Messages } from './message.ts';
import { attachmentMessages } from './rotation/attachment-messages.ts';
import { endMessages } from './rotation/end-messages.ts';
import { planMessages } from './rotation/plan-messages.ts';
import { proofMessages } from './rotation/proof-messages.ts';
import { useMessages } from './rotation/use-messages.ts';

/** A rotation's id in an example. */
const ROTATION = '7f5f2a9e-9a0b-4a7f-8d8e-0c9a2c1d3e4f';

export const rotationMessages: Messages<RotationFacts> = {
  ...attachmentMessages,
  ...endMessages,
  ...planMessages,
  ...proofMessages,
  ...useMessages,
  'slot-window-over': {
    text: ({ slot, end }) =>
      `The window of the slot ${slot} was over at ${end}, before the rotation could start; the next slot is not affected`,
    means:
      'The schedule has a `window`, and no worker or no database was there before its end. The rotation is left to the next slot.',
    example: { slot: '2026-01-31T02:30:00.000Z', end: '2026-01-31T04:30:00.000Z' },
  },
  'publication-replaced': {
    text: ({ destination, outgoing }) =>
      `${destination} no longer publishes what this rotation published${outgoing === null ? '' : `, so ${outgoing} is not revoked`}`,
    advice: 'find out who changed the secret, then rotate again',
    means:
      'Somebody replaced the published version while the rotation was open. What replaced it is not of keyturn, so nothing is revoked.',
    example: { destination: 'aws (primary)', outgoing: 'orders_api_a' },
  },
  'store-does-not-give-back': {
    text: ({ destination, stage }) =>
      `${destination} does not give back ${stage === 'current' ? 'what was published' : 'all that was staged'}; it is tried again`,
    means: 'A store took a version and reads back another one, or only a part of it.',
    example: { destination: 'aws (primary)', stage: 'current' },
  },
  'incoming-login-published': {
    text: ({ destination, login }) => `${destination} publishes ${login} by now; its password stays as it is`,
    advice: 'correct that secret, then rotate again',
    means:
      'A destination publishes the login that was about to get a new password. Those who read it there would be refused.',
    example: { destination: 'files (destination 2)', login: 'orders_api_b' },
  },
  'incoming-login-dropped': {
    text: ({ login }) => `The login ${login} does not exist any more`,
    advice: 'make it again',
    means: 'Somebody dropped the incoming login after the check.',
    example: { login: 'orders_api_b' },
  },
  'ledger-names-other-logins': {
    text: ({ rotation, incoming, outgoing, policy, logins }) =>
      `The ledger says that rotation ${rotation} brings in ${incoming} for ${outgoing}, but policy ${policy} has the logins ${logins.join(' and ')}, so nothing is altered`,
    advice:
      'if the policy was edited, put its logins back until this rotation is done; else find out who writes to keyturn.rotation',
    means:
      'Only the logins of the policy are altered, whatever the ledger says. The policy was edited while a rotation was open, or somebody wrote to the ledger.',
    example: {
      rotation: ROTATION,
      incoming: 'orders_api_b',
      outgoing: 'orders_api_a',
      policy: 'orders-api',
      logins: ['shop_a', 'shop_b'],
    },
  },
  'staged-version-lost': {
    text: ({ destination, version }) =>
      `${destination} has lost the version ${version} that this rotation makes current`,
    advice: 'rotate again',
    means: 'The secret store has the password of a rotation that is open no more. It was kept nowhere else.',
    example: { destination: 'aws (primary)', version: ROTATION },
  },
  'staged-version-retired': {
    text: ({ destination, version }) =>
      `${destination} has an older password under ${version} already, so this rotation was published long ago`,
    advice: 'another rotation takes its place',
    means:
      'The ledger was restored from a backup in which the rotation was still to be staged. keyturn brings no older password back.',
    example: { destination: 'aws (primary)', version: '0f3c2a52-6a1e-4b5f-9d0e-1c2b3a4d5e6f' },
  },
  'staged-version-of-another-login': {
    text: ({ destination, version, login, rotation, incoming }) =>
      `Version ${version} of ${destination} is one of ${login}, but rotation ${rotation} brings in ${incoming}, so nothing is altered`,
    advice: 'find out who writes to keyturn.rotation or to the secret',
    means: 'The version that the rotation is about to use names another login than the ledger does.',
    example: {
      destination: 'aws (primary)',
      version: ROTATION,
      login: 'orders_api_a',
      rotation: ROTATION,
      incoming: 'orders_api_b',
    },
  },
  'rotator-changed-since-set': {
    text: ({ rotation, login, connection, rotator }) =>
      `Rotation ${rotation} may have given ${login} a new password, and connection ${connection} logs in as ${rotator} by now`,
    advice: ({ login }) => `give it the user ${login} back until that is done`,
    means:
      "The connection was edited while its rotator's password was rotated. What became of that password cannot be found out as another role.",
    example: { rotation: ROTATION, login: 'keyturn', connection: 'orders-db', rotator: 'keyturn2' },
  },
  'pending-password-in-use': {
    text: ({ destination, version, login }) =>
      `What is pending in ${destination} (version ${version ?? 'without a token'}) is the password of ${login} now, and would be lost`,
    advice: 'make that version current there, then rotate again',
    means:
      "Another ledger staged a version that is the rotator's password by now. A rotation would discard the only copy.",
    example: { destination: 'aws (primary)', version: ROTATION, login: 'keyturn' },
  },
  'configured-password-obsolete': {
    text: ({ login, destination, connection }) =>
      `from this rotation on keyturn reads the password of ${login} from ${destination}; the one that connection ${connection} configures is obsolete then`,
    advice: 'remove it once the rotation is done',
    means: "It is the first rotation of the rotator's own password.",
    example: { login: 'keyturn', destination: 'aws (primary)', connection: 'orders-db' },
  },
  'rotation-recounted': {
    text: ({ at }, tell) => `${tell(instantInFuture(at))}; counted from now on`,
    means:
      'An instant of an open rotation lies in the future, since a clock was wrong. Its grace, deadline and retries count from now.',
    example: { at: '2027-01-31T10:00:00.000Z' },
  },
  'publication-gone': {
    text: ({ destination }) => `${destination} publishes nothing any more`,
    advice: 'see what a rotation would do',
    means: 'A rotation published there once, and the secret is empty or gone.',
    example: { destination: 'aws (primary)' },
  },
  'published-in-part': {
    text: ({ destinations }) => `published in part: ${destinations.map(partText).join(', ')}`,
    means:
      'The destinations of a policy do not publish the same version. A rotation is between two of them, or somebody changed one by hand.',
    example: {
      destinations: [
        { destination: 'aws (primary)', has: 'login', login: 'orders_api_a' },
        { destination: 'files (destination 2)', has: 'login', login: 'orders_api_b' },
      ],
    },
  },
  'no-open-rotation': {
    text: ({ policy }) => `${policy} has no open rotation`,
    means: 'The command ends or turns round a rotation, and none is open.',
    example: { policy: 'orders-api' },
  },
  'no-worker': {
    text: () => 'no worker is running; it is done as soon as one is',
    means: 'What was asked for is in the queue, and nobody takes it from there.',
    example: {},
  },
  'no-worker-to-rotate': {
    text: () => 'No worker is running, so nobody would rotate',
    advice: 'start one, or add --inline',
    means: 'The command was to wait for the end of a rotation that nobody would begin.',
    example: {},
  },
  'nothing-rotates-by-itself': {
    text: () => 'no worker is running, so nothing rotates by itself',
    advice: 'start one',
    means: 'Schedules are served by workers, and none is up.',
    example: {},
  },
  'worker-lacks-policy': {
    text: ({ policy, host, config, isRefused }) =>
      isRefused
        ? `waiting for a worker that has the policy ${policy}; the one on ${host} does not: its configuration ${config} has problems, so the one before stays in force`
        : `waiting for a worker that has the policy ${policy}; the one on ${host} does not: its configuration ${config} does not name it`,
    advice: ({ isRefused }) =>
      isRefused
        ? 'correct that configuration; the log of that worker lists the problems'
        : 'add the policy to that configuration, or start a worker with this one',
    means:
      'A command opened a rotation of a policy that is not in the configuration of the worker that took it. The worker read its files again before it said so. It leaves the rotation to other workers and looks again soon.',
    example: { policy: 'orders-api', host: 'ops-1', config: 'config/', isRefused: false },
  },
  'no-worker-has-policy': {
    text: ({ policy, rotation, seconds }) =>
      `No worker that is running has had the policy ${policy} for ${seconds} s, so nobody rotates it; rotation ${rotation} stays open for one that has`,
    advice: 'correct the configuration of the workers, or add --inline; or end the rotation',
    means:
      'With `--wait`, every worker that took the rotation lacks its policy. The command ends; the rotation goes on as soon as a worker has the policy.',
    example: { policy: 'orders-api', rotation: ROTATION, seconds: 60 },
  },
  'policy-removed': {
    text: ({ outgoing }) =>
      `this rotation is open${outgoing === null ? '' : `, and ${outgoing} may still log in`}, but its policy was removed`,
    advice: 'configure it until it is done',
    means:
      'A policy was taken out of the configuration while a rotation of it is open. It waits for the policy.',
    example: { policy: 'orders-api', outgoing: 'orders_api_a' },
  },
};

function instantInFuture(at: string): Fact {
  return { code: 'instant-in-future', params: { at } };
}

function partText({
  destination,
  has,
  login,
}: RotationFacts['published-in-part']['destinations'][number]): string {
  if (has === 'unknown') return `${destination} is not known`;
  if (has === 'nothing') return `${destination} has nothing`;
  return `${destination} has ${login ?? 'another version'}`;
}

import type { Fact } from '../../facts/fact.ts';
import type { AttachmentFacts } from '../../facts/rotation/attachment-facts.ts';
import type { Messages } from '../message.ts';

const POLICY = 'orders-api';
const SECRETS = ['prod/orders/db#username', 'prod/orders/db#password'];
const FILE = 'config/keyturn.yaml';
const UNKNOWN_STORE: Fact = {
  code: 'config-reference-unknown',
  params: { kind: 'store', value: { kind: 'written', text: 'filse' }, near: 'files', known: ['files'] },
};

export const attachmentMessages: Messages<AttachmentFacts> = {
  'secrets-option-invalid': {
    text: ({ given }) => `--secrets takes field=name, not ${JSON.stringify(given)}`,
    advice: ({ known }) =>
      `for example username=app/username,password=app/password; fields are ${known.join(', ')}`,
    means: 'An item of `--secrets` is not a field and the name of a secret.',
    example: { given: 'username', known: ['username', 'password'] },
  },
  'secrets-field-unknown': {
    text: ({ field, near, known }) =>
      `unknown field ${JSON.stringify(field)}${near === undefined ? `; there is ${known.join(', ')}` : `; did you mean ${JSON.stringify(near)}?`}`,
    means: '`--secrets` names a field that keyturn does not publish.',
    example: { field: 'pasword', near: 'password', known: ['username', 'password'] },
  },
  'secrets-field-repeated': {
    text: ({ field }) => `--secrets names ${field} twice`,
    means: 'Each field of a destination goes to one secret.',
    example: { field: 'password' },
  },
  'attachment-not-valid': {
    text: ({ problems }, tell) => problems.map(({ option, fact }) => `${option}: ${tell(fact)}`).join('; '),
    means:
      'The destination that the options describe cannot stand in the configuration. Nothing was changed.',
    example: {
      problems: [{ option: '--store', fact: UNKNOWN_STORE }],
    },
  },
  'attachment-there-already': {
    text: ({ policy, destination }) => `${policy} publishes to these secrets already: ${destination}`,
    means: 'The policy has a destination with the same store and secrets. Nothing was changed.',
    example: { policy: POLICY, destination: 'aws (destination 2)' },
  },
  'attachment-not-there': {
    text: ({ policy, store, known }) =>
      `${policy} has no such destination in the store ${store}; it publishes to ${known.join(', ')}`,
    advice: ({ inStore }) =>
      inStore.length === 0
        ? undefined
        : `give all secrets of one: ${inStore.map(({ destination, secrets }) => `${destination} is --secrets ${secrets}`).join('; ')}`,
    means: 'What to detach is not among the destinations of the policy. Nothing was changed.',
    example: {
      policy: POLICY,
      store: 'aws',
      known: ['files (primary)', 'aws (destination 2)'],
      inStore: [
        {
          destination: 'aws (destination 2)',
          secrets: 'username=prod/orders/db#username,password=prod/orders/db#password',
        },
      ],
    },
  },
  'attachment-ambiguous': {
    text: ({ policy, destinations }) => `${policy} has several such destinations: ${destinations.join(', ')}`,
    advice: 'say which one with --secrets, as the configuration has them',
    means: 'Several destinations are in the same store. Nothing was changed.',
    example: { policy: POLICY, destinations: ['aws (destination 2)', 'aws (destination 3)'] },
  },
  'attachment-is-primary': {
    text: ({ policy, isOnly }) =>
      isOnly
        ? `${policy} publishes nowhere else, and a policy needs a destination`
        : `${policy} reads back from this destination which login is active: it is the primary`,
    advice: ({ isOnly }) =>
      isOnly
        ? 'remove the whole policy in the configuration'
        : 'make another destination the first one in the configuration, with what the primary publishes, and detach this one then',
    means: 'The first destination of a policy cannot be detached. Nothing was changed.',
    example: { policy: POLICY, isOnly: false },
  },
  'attachment-during-rotation': {
    text: ({ policy, rotation }) => `${policy} has a rotation open (${rotation})`,
    advice: 'try again when it is over',
    means:
      'A rotation publishes, and goes back, on the destinations that it began with. So destinations do not change meanwhile.',
    example: { policy: POLICY, rotation: '0b5b4f0e-3a3e-4b0c-9a53-8f6a1f5f2a11' },
  },
  'attachment-of-altered-version': {
    text: ({ destination }) =>
      `${destination} publishes something else than the latest rotation did, so it is not published elsewhere`,
    means:
      'Somebody changed the published secret, or the ledger was lost. A rotation that adopts the change publishes a credential that keyturn makes.',
    example: { destination: 'files (primary)' },
  },
  'attachment-changed-since-shown': {
    text: ({ policy }) => `${policy} changed since that was shown, so nothing was done`,
    advice: 'run the command again',
    means: 'Somebody edited the configuration between the question and its answer.',
    example: { policy: POLICY },
  },
  'attachment-publishes': {
    text: ({ policy, store, secrets, file, line }) =>
      `${policy}: publishes to ${secrets.join(', ')} of the store ${store}, and adds to ${file} from line ${line} on:`,
    means: 'What `keyturn attach` is about to do.',
    example: { policy: POLICY, store: 'aws', secrets: SECRETS, file: FILE, line: 42 },
  },
  'attachment-ends': {
    text: ({ policy, store, secrets, file, line, deletes }) =>
      `${policy}: publishes no more to ${secrets.join(', ')} of the store ${store}${deletes ? ', deletes them' : ''}, and takes out of ${file} from line ${line} on:`,
    means: 'What `keyturn detach` is about to do.',
    example: { policy: POLICY, store: 'aws', secrets: SECRETS, file: FILE, line: 42, deletes: true },
  },
  'attachment-published': {
    text: ({ policy, store, login }) => `${policy}: the store ${store} has the credential of ${login}`,
    means: 'A new destination has what the policy publishes, and was read back.',
    example: { policy: POLICY, store: 'aws', login: 'orders_api_a' },
  },
  'attachment-awaits-rotation': {
    text: ({ policy, store }) => `${policy}: the next rotation publishes to the store ${store}`,
    advice: 'run keyturn rotate for it to be now',
    means:
      'Nothing of the policy is published yet, so a new destination stays empty until the first rotation.',
    example: { policy: POLICY, store: 'aws' },
  },
  'attachment-ended': {
    text: ({ policy, store, deleted }) =>
      `${policy}: publishes no more to the store ${store}${deleted ? '; its secrets are deleted' : '; its secrets stay as they are'}`,
    means: 'A destination was detached.',
    example: { policy: POLICY, store: 'aws', deleted: false },
  },
  'detached-secrets-left': {
    text: ({ store, secrets, cause }, tell) =>
      `${store} is detached, but ${secrets.join(', ')} could not be deleted: ${tell(cause)}`,
    advice: 'delete them by hand',
    means: 'The configuration does not name the destination any more, so keyturn does not try again.',
    example: {
      store: 'aws (destination 2)',
      secrets: ['prod/orders/db'],
      cause: { code: 'secret-shared', params: { store: 'aws', secret: 'prod/orders/db', keys: ['api_key'] } },
    },
  },
};

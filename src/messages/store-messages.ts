import type { StoreFacts } from '../facts/store-facts.ts';
import type { Messages } from './message.ts';
import { awsMessages } from './store/aws-messages.ts';
import { fileStoreMessages } from './store/file-store-messages.ts';
import { httpStoreMessages } from './store/http-store-messages.ts';
import { kubernetesMessages } from './store/kubernetes-messages.ts';
import { moduleStoreMessages } from './store/module-store-messages.ts';

const TOKEN = '2f6e0e0e-5f5c-4f43-9a39-0a7a7b1f6c11';

export const storeMessages: Messages<StoreFacts> = {
  ...awsMessages,
  ...fileStoreMessages,
  ...httpStoreMessages,
  ...kubernetesMessages,
  ...moduleStoreMessages,
  'secret-missing': {
    text: ({ store, secret }) => `The store ${store} has no secret ${secret}`,
    advice: 'set create: true for the destination, or make it, empty',
    means:
      'A secret that a policy publishes to does not exist, and the destination does not say `create: true`. Nothing was made.',
    example: { store: 'aws', secret: 'prod/orders/db' },
  },
  'secret-empty': {
    text: ({ store, secret }) => `The store ${store}: the secret ${secret} has no version yet`,
    means:
      'The secret exists, but has no value yet. `keyturn doctor` cannot try to write there, because the service makes the first version of a secret current. The first rotation does it in a way that publishes nothing too early.',
    example: { store: 'aws', secret: 'prod/orders/db' },
  },
  'secret-not-json': {
    text: ({ secret }) => `The secret ${secret} is mapped by key but does not hold a JSON object`,
    advice: 'make it one, or map it as a whole',
    means:
      'A mapping such as `prod/orders/db#password` names a key of a JSON object, and the secret holds something else. keyturn does not overwrite it.',
    example: { secret: 'prod/orders/db' },
  },
  'secret-shared': {
    text: ({ store, secret, keys }) =>
      `The store ${store}: the secret ${secret} also has ${keys.join(', ')}, which the destination does not name, so it is not deleted`,
    advice: 'remove what nobody needs by hand',
    means:
      'A JSON secret has keys of somebody else besides those that keyturn writes. keyturn deletes a secret only as a whole.',
    example: { store: 'aws', secret: 'prod/orders/db', keys: ['api_key'] },
  },
  'field-without-value': {
    text: ({ secret, field }) =>
      `The field ${field}, which the secret ${secret} is to hold, was given no ${field === 'port' ? 'number' : 'value'}; nothing was written`,
    means:
      'A mapped field has no value, so nobody could log in with what would be published. This points to a mistake in keyturn or in the configuration of the connection.',
    example: { secret: 'prod/orders/db', field: 'host' },
  },
  'version-conflict': {
    text: ({ store, token, field }) =>
      `The store ${store}: the version ${token} has another ${field} staged already, which stays`,
    advice: 'it is tried again with that one',
    means:
      'Two workers ran the same rotation at once, and the other one staged its password first. There is never more than one password under one token, so the next try uses that one.',
    example: { store: 'aws', token: TOKEN, field: 'password' },
  },
  'version-not-promotable': {
    text: ({ store, secret, token }) => `The store ${store}: ${secret} has no version ${token} to promote`,
    advice: 'rotate again',
    means:
      'The staged version was discarded, replaced or removed before it was published, by another rotation or by hand. Nothing was published.',
    example: { store: 'aws', secret: 'prod/orders/db', token: TOKEN },
  },
  'version-removed': {
    text: ({ store, folder, token }) =>
      `The store ${store}: another process removed the version ${token} from ${folder} before it was pending`,
    advice: 'it is tried again',
    means:
      'A process that stopped for an hour between writing a version and linking it may find that another one pruned it as abandoned.',
    example: { store: 'files', folder: '/srv/secrets/orders', token: TOKEN },
  },
  'secret-contended': {
    text: ({ store, secret }) =>
      `The store ${store}: other processes changed ${secret} each time right before keyturn did`,
    advice: 'it is tried again',
    means:
      'A secret is replaced only if it still is as keyturn read it. Something else writes to it all the time: look for it if this goes on.',
    example: { store: 'vault', secret: 'orders/db' },
  },
  'staging-secret-foreign': {
    text: ({ store, secret }) =>
      `The store ${store}: the place where versions of ${secret} are staged holds something that keyturn did not write`,
    advice: 'move it away, or set another name with staging',
    means:
      'Some stores show each reader the latest version. There keyturn stages versions under a name of its own, and something else has that name. It stays as it is.',
    example: { store: 'vault', secret: 'orders/db' },
  },
  'version-token-invalid': {
    text: ({ token }) => `A version's token must be a UUID, not ${JSON.stringify(token)}`,
    means: 'A token becomes part of a path, so a text that is no UUID is refused before anything is touched.',
    example: { token: '../orders' },
  },
};

import type { StoreFacts } from '../../facts/store-facts.ts';
import type { Messages } from '../message.ts';

type HttpStoreCode =
  | 'store-answer-invalid'
  | 'store-certificate-refused'
  | 'store-login-refused'
  | 'vault-denied'
  | 'vault-mount-unusable'
  | 'vault-sealed';

const WHY = {
  redirect: 'the server answers with a redirect, which is not followed',
  'too-large': 'the answer is larger than 4 MiB',
  'not-json': 'the answer is no JSON',
  unexpected: 'the answer is not what the API documents',
} as const;

const REQUEST = { store: 'vault', secret: 'orders/db', action: 'read' } as const;

export const httpStoreMessages: Messages<Pick<StoreFacts, HttpStoreCode>> = {
  'store-certificate-refused': {
    text: ({ store, secret, action, detail }) =>
      `The store ${store}: ${action} of ${secret}: its certificate is refused: ${detail}`,
    advice: 'give the store tls: { ca: … } with the CA of the server, and the name that its certificate has',
    means:
      'The server did not prove who it is, so nothing was sent to it, no token either. It may be an impostor.',
    example: { ...REQUEST, detail: 'SELF_SIGNED_CERT_IN_CHAIN' },
  },
  'store-answer-invalid': {
    text: ({ store, secret, action, why }) => `The store ${store}: ${action} of ${secret}: ${WHY[why]}`,
    advice: 'check the address of the store, and what is between it and keyturn; it is tried again',
    means:
      'Something answered that is not the store, such as a proxy or a login page. keyturn follows no redirect, because a token would go elsewhere, and reads no answer without end.',
    example: { ...REQUEST, why: 'redirect' },
  },
  'store-login-refused': {
    text: ({ store, method, detail }) => `The store ${store}: the login with ${method} is refused: ${detail}`,
    advice: 'check what stands under auth of the store, and the role on the server',
    means: 'The server knows no such role, or its credential is wrong, used up or expired.',
    example: { store: 'vault', method: 'appRole', detail: 'HTTP 400' },
  },
  'vault-denied': {
    text: ({ store, secret }) => `The store ${store}: the token of keyturn does not allow this for ${secret}`,
    advice: ({ path, capabilities }) =>
      `allow it in a policy of keyturn: path "${path}" { capabilities = ${JSON.stringify(capabilities)} }`,
    means:
      'No policy of the token allows the request, or the token has expired. docs/stores.md has the whole policy.',
    example: {
      store: 'vault',
      secret: 'orders/db',
      path: 'secret/data/orders/db',
      capabilities: ['create', 'update'],
    },
  },
  'vault-mount-unusable': {
    text: ({ store, mount }) => `The store ${store}: ${mount} is no KV engine of version 2`,
    advice: ({ mount }) =>
      `set mount, or enable it: vault secrets enable -path=${mount} kv-v2; vault kv enable-versioning ${mount} upgrades one of version 1`,
    means:
      'Nothing is mounted at this path, or a KV engine of version 1, which has neither versions nor check-and-set.',
    example: { store: 'vault', mount: 'secret' },
  },
  'vault-sealed': {
    text: ({ store }) => `The store ${store} is sealed or under maintenance`,
    advice: 'unseal it; it is tried again',
    means: 'Vault answers with 503 until somebody unseals it.',
    example: { store: 'vault' },
  },
};

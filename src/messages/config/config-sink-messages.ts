import type { ConfigSinkFacts } from '../../facts/config/config-sink-facts.ts';
import type { Messages } from '../message.ts';

export const configSinkMessages: Messages<ConfigSinkFacts> = {
  'sink-url-has-credentials': {
    text: () => 'has a user or a password in the URL',
    advice: 'leave them out; a webhook proves who sent it by its signature, so give it secrets',
    means: 'URLs end up in logs of proxies and receivers, so a URL with credentials is refused.',
    example: {},
  },
  'sink-url-plaintext': {
    text: () => 'is not encrypted',
    advice: 'write https://, or allowPrivate: true for a receiver in your own network',
    means: 'A URL that begins with http:// is allowed only together with `allowPrivate: true`.',
    example: {},
  },
  'sink-url-private': {
    text: () => 'names a loopback, link-local or private address',
    advice: 'write allowPrivate: true if the receiver is in your own network',
    means:
      'Events go to addresses of the Internet, unless a sink says `allowPrivate: true`. What a name stands for is checked when it is connected to.',
    example: {},
  },
  'sink-mail-plaintext': {
    text: () => 'nothing goes to a mail server beyond loopback in plaintext',
    advice: 'leave mode out, or use a mail server on this machine',
    means: 'Mail names policies and logins, and its server may get a password.',
    example: {},
  },
  'sink-mail-login-incomplete': {
    text: ({ there }) => `is missing although ${there} is there`,
    advice: 'give both, or neither',
    means: 'Who logs in to a mail server needs a user and a password.',
    example: { there: 'user' },
  },
  'sink-secret-invalid': {
    text: () => 'is not a signing secret',
    advice: 'must be whsec_ and then 24 to 64 random bytes in base64',
    means:
      'Webhooks are signed as Standard Webhooks say. `echo whsec_$(openssl rand -base64 32)` makes a secret. It is not shown here.',
    example: {},
  },
};

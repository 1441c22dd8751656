import type { ConfigServerFacts } from '../../facts/config/config-server-facts.ts';
import type { Messages } from '../message.ts';
import { valueText } from '../problems.ts';
import type { configTlsMessages } from './config-tls-messages.ts';

type ServerCode = Exclude<keyof ConfigServerFacts, keyof typeof configTlsMessages>;

function inPlaintext({ variable }: { readonly variable?: string }): string {
  const subject = variable === undefined ? '' : `${variable} `;
  return `${subject}goes over the network in plaintext, secrets and passwords too`;
}

export const configServerMessages: Messages<Pick<ConfigServerFacts, ServerCode>> = {
  'connection-host-missing': {
    text: ({ keys }) => `is missing, but ${keys.join(', ')} is there`,
    advice: 'add host, or leave only database for the embedded PostgreSQL',
    means:
      'A connection without `host` is a database of the embedded PostgreSQL, which has no other entries than `database`.',
    example: { keys: ['port', 'user'] },
  },
  'replica-repeated': {
    text: ({ host, of }) =>
      `${valueText(host)} ${of === 'primary' ? 'is the primary itself' : 'is listed twice, with the same port'}`,
    advice: 'must be a standby server that no other entry names',
    means: 'A replica has host and port of its primary, or of another replica.',
    example: { host: { kind: 'written', text: 'db-2.internal' }, of: 'replica' },
  },
  'replica-servername-useless': {
    text: () => 'has no use without TLS',
    advice: 'leave it out, or set the mode of tls to verify-full',
    means: 'A replica has a `servername`, and is connected to without TLS.',
    example: {},
  },
  'plaintext-useless': {
    text: ({ key, scheme }) => `is disable, but ${key} is ${scheme}://, which is encrypted`,
    advice: 'leave tls out',
    means: 'An entry allows plaintext for a URL that is encrypted.',
    example: { key: 'redis', scheme: 'rediss' },
  },
  'queue-plaintext-misplaced': {
    text: () => 'goes with a URL only',
    advice: 'move tls into redis, beside sentinels or cluster',
    means:
      'Sentinels and a cluster have their `tls` in `queue.redis`. The one in `queue` allows plaintext for a URL.',
    example: {},
  },
  'plaintext-refused': {
    text: inPlaintext,
    advice: ({ scheme }) => `must be ${scheme}://, or have tls: { mode: disable } beside it to allow that`,
    means:
      'The URL of Redis or of a secret store is not encrypted, and its host is not loopback. keyturn never falls back to plaintext.',
    example: { scheme: 'rediss' },
  },
  'plaintext-allowed': {
    text: inPlaintext,
    advice: ({ scheme }) => `better is ${scheme}://`,
    means: 'A warning. The configuration allows plaintext to a host beyond loopback.',
    example: { scheme: 'https', variable: 'AWS_ENDPOINT_URL' },
  },
};

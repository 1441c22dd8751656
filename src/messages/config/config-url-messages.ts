// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration
import type { ConfigUrlFacts, UrlFault, UselessParameter } from '../../facts/config/config-url-facts.ts';
import type { Messages } from '../message.ts';

const ESCAPE = 'write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25 and a space as %20';

const FAULTS: Readonly<Record<UrlFault, { readonly text: string; readonly advice: string }>> = {
  encoding: {
    text: 'has an escape that is no text',
    advice: 'write each byte of a character as UTF-8 has it, such as ä as %C3%A4',
  },
  escape: { text: 'has a % that begins no escape', advice: ESCAPE },
  host: { text: 'has a host with a stray : or [', advice: 'write an IPv6 address as [::1]' },
  'no-url': {
    text: 'is no connection URL',
    advice: `must be postgresql://user:password@host:port/database?sslmode=…, and ${ESCAPE}`,
  },
  parameter: {
    text: 'must have parameter=value after the ?, with & between two of them',
    advice: ESCAPE,
  },
  'several-hosts': { text: 'names several hosts', advice: 'must be one, the primary' },
  'stray-at': { text: 'has an @ after the one that ends the password', advice: ESCAPE },
};

const INVALID = {
  hostaddr: 'must be an IP address',
  sslmode: 'must be disable, require, verify-ca or verify-full',
  sslsni: 'must be 0 or 1',
};
const MISSING = {
  host: 'must be a host, or the folder of a socket as ?host=/run/postgresql',
  sslrootcert: 'must be the path of a PEM file with sslmode=verify-ca',
  user: 'must be the name of a role',
};
const USELESS: Readonly<Record<UselessParameter, string>> = {
  passfile: 'leave it out, and write the password in the url, best as ${file:PATH}',
  service: 'leave it out, and write out what the service stands for',
  options: 'leave it out, and set what the rotator needs by ALTER ROLE … SET',
  sslcrl: 'leave it out, as keyturn reads no revocation lists',
  sslcrldir: 'leave it out, as keyturn reads no revocation lists',
  sslpassword:
    'leave it out, and take the passphrase off the key: openssl pkey -in client.key -out client-plain.key',
};

export const configUrlMessages: Messages<ConfigUrlFacts> = {
  'url-malformed': {
    text: ({ why }) => FAULTS[why].text,
    advice: ({ why }) => FAULTS[why].advice,
    means:
      'The text is no connection URL as libpq reads one. A special character that is not percent-encoded, most often in the password, is the usual cause. Nothing of the URL is shown.',
    example: { why: 'stray-at' },
  },
  'url-repeated': {
    text: () => 'is there beside url, which says it already',
    advice: ({ key }) => `leave out ${key}, or spell out the url`,
    means: 'A connection has both a `url` and an entry that the URL contains.',
    example: { key: 'host' },
  },
  'url-parameter-missing': {
    text: () => 'is missing',
    advice: ({ parameter }) => MISSING[parameter],
    means: 'A connection URL lacks a part that keyturn cannot guess.',
    example: { parameter: 'user' },
  },
  'url-parameter-invalid': {
    text: () => 'is not valid',
    advice: ({ parameter }) => INVALID[parameter],
    means: 'A parameter of a connection URL has a value that libpq would not take either.',
    example: { parameter: 'hostaddr' },
  },
  'url-parameter-unknown': {
    text: () => "has a parameter that is none of libpq's",
    advice: 'leave it out, or write an & in a value as %26',
    means:
      'A connection URL has a parameter that libpq does not know. It may be the rest of a password with an & in it, so its name is not shown.',
    example: {},
  },
  'url-parameter-unsupported': {
    text: () => 'is not supported',
    advice: ({ near, allowed }) =>
      near === undefined ? `leave it out; allowed: ${allowed.join(', ')}` : `did you mean ${near}?`,
    means: 'The parameter is one of libpq, or similar to one, and keyturn cannot honour it.',
    example: { near: 'sslmode', allowed: ['sslmode', 'sslrootcert'] },
  },
  'url-parameter-useless': {
    text: () => 'has no use here',
    advice: ({ parameter }) => USELESS[parameter],
    means: 'The parameter is one of libpq, and keyturn has another way to the same end.',
    example: { parameter: 'passfile' },
  },
  'url-parameter-differs': {
    text: () => 'is not what keyturn does',
    advice: ({ allowed }) => `must be ${allowed.join(' or ')}, or left out`,
    means: 'The parameter asks for a behaviour that keyturn does not have.',
    example: { allowed: ['postgres'] },
  },
  'url-requires-channel-binding': {
    text: () => 'is not what keyturn does',
    advice: 'leave it out, and set sslmode=verify-full, which knows the server by its certificate',
    means: 'The URL demands channel binding, which keyturn does not do.',
    example: {},
  },
  'url-mode-falls-back': {
    text: ({ mode }) => `${mode} falls back to plaintext, which keyturn never does`,
    advice: INVALID.sslmode,
    means: 'The URL has a TLS mode in which libpq may send everything in plaintext.',
    example: { mode: 'prefer' },
  },
  'url-mode-weaker-than-system': {
    text: () => 'is weaker than sslrootcert=system allows',
    advice: 'must be verify-full',
    means: 'As in libpq, `sslrootcert=system` works with `sslmode=verify-full` only.',
    example: {},
  },
};

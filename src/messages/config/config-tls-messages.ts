import type { ConfigServerFacts } from '../../facts/config/config-server-facts.ts';
import type { Messages } from '../message.ts';
import { fileFaultText, valueText } from '../problems.ts';

const NO_CERTIFICATE =
  'must be PEM with nothing but whole ones between BEGIN CERTIFICATE and END CERTIFICATE';
const EFFECT = { ca: 'no server certificate is valid by it', client: 'servers refuse it' };
const HOST = { kind: 'written', text: 'db.internal' } as const;

type TlsCode = Exclude<
  keyof ConfigServerFacts,
  | 'connection-host-missing'
  | 'plaintext-allowed'
  | 'plaintext-refused'
  | 'plaintext-useless'
  | 'queue-plaintext-misplaced'
  | 'replica-repeated'
  | 'replica-servername-useless'
>;

export const configTlsMessages: Messages<Pick<ConfigServerFacts, TlsCode>> = {
  'client-certificate-incomplete': {
    text: () => 'is missing',
    advice: ({ there }) => `must be there with ${there}, or leave both out`,
    means: 'A client certificate needs its key, and a key its certificate.',
    example: { there: 'cert' },
  },
  'tls-over-socket': {
    text: ({ mode }) => `${mode} over a Unix socket, which has no TLS`,
    advice: 'must be disable or left out',
    means: 'The host is the folder of a Unix socket, and the mode asks for TLS.',
    example: { mode: 'verify-full' },
  },
  'tls-part-useless': {
    text: ({ mode }) => `has no use with mode ${mode}`,
    advice: ({ mode }) =>
      mode === 'disable'
        ? 'leave it out, or set mode to verify-full'
        : 'set mode to verify-ca or verify-full',
    means:
      'The mode of `tls` does not use this entry. Without this problem somebody would think that the server is checked.',
    example: { mode: 'require' },
  },
  'pem-unreadable': {
    text: ({ file, ...fault }) => `file ${valueText(file)} ${fileFaultText(fault)}`,
    advice: 'must be a readable PEM file',
    means: 'A certificate or key of `tls` names a file that cannot be read, or is empty.',
    example: { file: { kind: 'written', text: 'ca.pem' }, reason: 'absent' },
  },
  'certificate-unreadable': {
    text: () => 'holds no certificate that can be read',
    advice: NO_CERTIFICATE,
    means: 'The file or text has no PEM certificate, or a broken one.',
    example: {},
  },
  'private-key-encrypted': {
    text: () => 'is encrypted with a passphrase, which keyturn cannot ask for',
    advice: 'must be a key without: openssl pkey -in client.key -out client-plain.key',
    means: 'The key of a client certificate has a passphrase.',
    example: {},
  },
  'private-key-unreadable': {
    text: () => 'holds no private key that can be read',
    advice: 'must be PEM, such as BEGIN PRIVATE KEY',
    means: 'The file or text has no PEM private key, or a broken one.',
    example: {},
  },
  'private-key-mismatch': {
    text: () => 'is not the key of the certificate in cert',
    advice: 'must be the one it was made with',
    means: 'The certificate in `cert` was made with another key than the one in `key`.',
    example: {},
  },
  'configured-certificate-expired': {
    text: ({ subject, day, role }) => `the certificate of ${subject} expired on ${day}, so ${EFFECT[role]}`,
    advice: 'renew it',
    means: 'A warning. A certificate that the configuration names has expired. The other connections go on.',
    example: { subject: 'CN=keyturn', day: '2026-11-25', role: 'client' },
  },
  'configured-certificate-early': {
    text: ({ subject, day, role }) =>
      `the certificate of ${subject} is not valid before ${day}, so ${EFFECT[role]} until then`,
    advice: 'wait until that day, or set another',
    means: 'A warning. A certificate that the configuration names is not valid yet.',
    example: { subject: 'CN=keyturn', day: '2027-01-01', role: 'client' },
  },
  'tls-any-public-ca': {
    text: ({ host }) => `anybody with a certificate of a public CA could answer for ${valueText(host)}`,
    advice: 'better is verify-full, or a ca of your own',
    means:
      'A warning. With `verify-ca` and no `ca` every certificate of every public CA is accepted, whatever name it is for.',
    example: { host: HOST },
  },
  'tls-off': {
    text: ({ host }) => `the connection to ${valueText(host)} is not encrypted`,
    advice: 'better is verify-full',
    means: 'A warning. The configuration turns TLS off for a host beyond loopback.',
    example: { host: HOST },
  },
  'tls-unverified': {
    text: ({ host }) => `the connection to ${valueText(host)} is encrypted, but anyone could answer it`,
    advice: 'better is verify-full',
    means: 'A warning. With mode `require` the server is not checked by its certificate.',
    example: { host: HOST },
  },
};

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration, not of JavaScript
import { test as anyTest, beforeAll, expect } from 'vitest';
import { encrypted, haveOpenssl, type Issued, openAuthority, selfSigned } from '../support/certificates.ts';
import { changed, load, problemFactsOf, problemsOf, warningsOf } from './config-folder.ts';

const test = anyTest.skipIf(!haveOpenssl);
const connected = (tls: string) => changed(['user: keyturn', `user: keyturn, tls: ${tls}`]);

let ca: string;
let client: Issued;
let other: Issued;
let expired: Issued;
let future: Issued;

beforeAll(async () => {
  await using authority = await openAuthority('keyturn test');
  ca = authority.ca;
  client = await authority.issue({ commonName: 'keyturn' });
  expired = await authority.issue({ commonName: 'old', from: '20200101000000Z', to: '20210101000000Z' });
  future = await authority.issue({ commonName: 'new', from: '20990101000000Z', to: '21000101000000Z' });
  other = await selfSigned('other');
});

test('certificates and key may be PEM texts, of the file, of another file and of the environment alike', () => {
  const inline = (pem: string) => JSON.stringify(pem);
  const tls = { mode: 'verify-full', ca, ...client };
  const from = (yaml: string) =>
    load(connected(yaml), {
      env: { CERT: client.cert },
      files: { 'client.key': client.key, 'ca.pem': ca },
    }).connections.get('db');
  expect(
    from(`{ ca: ${inline(ca)}, cert: ${inline(client.cert)}, key: ${inline(client.key)} }`),
  ).toMatchObject({
    tls,
  });
  // The reference to a file takes its last line break off.
  expect(from('{ ca: ca.pem, cert: "${CERT}", key: "${file:client.key}" }')).toMatchObject({
    tls: { ...tls, key: client.key.trimEnd() },
  });
});

test('servername and sni are taken over, and no replica inherits the name of its primary', () => {
  const yaml = changed([
    'user: keyturn',
    'user: keyturn, tls: { servername: db.internal, sni: false }, replicas: [{ host: 10.0.0.2 }]',
  ]);
  expect(load(yaml).connections.get('db')).toMatchObject({
    tls: { mode: 'verify-full', servername: 'db.internal', sni: false },
    replicas: [{ tls: { mode: 'verify-full', sni: false } }],
  });
  expect(load(yaml).connections.get('db')).not.toHaveProperty('replicas.0.tls.servername');
});

const NO_CERTIFICATE =
  'holds no certificate that can be read; must be PEM with nothing but whole ones between BEGIN CERTIFICATE and END CERTIFICATE';

test.each<readonly [what: string, tls: string, ...problems: string[]]>([
  ['a CA that is text', '{ ca: text.pem }', `72 connections.db.tls.ca: ${NO_CERTIFICATE}`],
  ['a CA with one broken certificate', '{ ca: torn.pem }', `72 connections.db.tls.ca: ${NO_CERTIFICATE}`],
  ['a key for a CA', '{ ca: client.key }', `72 connections.db.tls.ca: ${NO_CERTIFICATE}`],
  [
    'certificate and key in each other’s place',
    '{ cert: client.key, key: client.crt }',
    `74 connections.db.tls.cert: ${NO_CERTIFICATE}`,
    '91 connections.db.tls.key: holds no private key that can be read; must be PEM, such as BEGIN PRIVATE KEY',
  ],
  [
    'the key of another certificate',
    '{ cert: client.crt, key: other.key }',
    '91 connections.db.tls.key: is not the key of the certificate in cert; must be the one it was made with',
  ],
  [
    'a key with a passphrase',
    '{ cert: client.crt, key: encrypted.key }',
    '91 connections.db.tls.key: is encrypted with a passphrase, which keyturn cannot ask for; must be a key without: openssl pkey -in client.key -out client-plain.key',
  ],
  [
    'an empty file',
    '{ ca: empty.pem }',
    '72 connections.db.tls.ca: file "empty.pem" is empty; must be a readable PEM file',
  ],
  [
    'a servername with a port',
    '{ servername: "db:5432" }',
    '80 connections.db.tls.servername: "db:5432" is not valid; must be a host name or IP address, without a port',
  ],
  [
    'a servername and TLS off',
    '{ mode: disable, servername: db }',
    '95 connections.db.tls.servername: has no use with mode disable; leave it out, or set mode to verify-full',
  ],
])('%s is refused at its place', async (_, tls, ...problems) => {
  const files = {
    'text.pem': 'no certificate',
    'torn.pem': `${ca}${ca.replace(/\n[^-][^\n]*\n/, '\n')}`,
    'empty.pem': '\n',
    'client.crt': client.cert,
    'client.key': client.key,
    'other.key': other.key,
    'encrypted.key': await encrypted(client.key),
  };
  expect(problemsOf(connected(tls), { files })).toEqual(problems.map((problem) => `k.yaml:2:${problem}`));
});

test('G3: no message shows a key, wherever it was put', () => {
  const body = client.key.split('\n')[1] ?? '';
  const torn = client.key.replace('-----BEGIN', 'BEGIN');
  for (const part of ['mode', 'ca', 'cert', 'key', 'servername']) {
    for (const text of [client.key, client.key.slice(0, -60), torn]) {
      const yaml = connected(`{ ${part}: ${JSON.stringify(text)} }`);
      const problems = [...problemsOf(yaml), JSON.stringify(problemFactsOf(yaml))];
      expect(problems.length).toBeGreaterThan(1);
      expect(problems.join('\n')).not.toContain(body.slice(0, 20));
    }
  }
});

test('a certificate that ran out or is not valid yet is a warning with its day: the other policies go on', () => {
  const files = {
    'old.crt': expired.cert,
    'old.key': expired.key,
    'new.pem': future.cert,
  };
  expect(warningsOf(connected('{ ca: new.pem, cert: old.crt, key: old.key }'), { files })).toEqual([
    'k.yaml:2:72 connections.db.tls.ca: the certificate of CN=new is not valid before 2099-01-01, so no server certificate is valid by it until then; wait until that day, or set another',
    'k.yaml:2:87 connections.db.tls.cert: the certificate of CN=old expired on 2021-01-01, so servers refuse it; renew it',
  ]);
});

test('verify-ca with the public CAs is a warning', () => {
  expect(warningsOf(connected('{ mode: verify-ca }'))).toEqual([
    'k.yaml:2:74 connections.db.tls.mode: anybody with a certificate of a public CA could answer for "db.internal"; better is verify-full, or a ca of your own',
  ]);
});

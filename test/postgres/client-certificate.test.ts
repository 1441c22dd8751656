import { afterAll, test as anyTest, beforeAll, expect, onTestFinished } from 'vitest';
import type { Database, Tls } from '../../src/config/config.ts';
import { Fault } from '../../src/facts/fault.ts';
import { tell } from '../../src/messages/tell.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import { adminOf } from '../support/admin.ts';
import { type Authority, haveOpenssl, type Issued, openAuthority } from '../support/certificates.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { startTlsServer, type TlsServer } from '../support/tls-server.ts';
import { plaintextOf } from '../support/wire.ts';

const test = anyTest.skipIf(!haveOpenssl);
const PASSWORD = 'hunter2-of-the-role';
const ROLES = ['by_cert', 'mapped', 'any_cert', 'own_cert', 'tls_only'];
const HBA = `hostssl all by_cert 127.0.0.1/32 cert
hostssl all mapped 127.0.0.1/32 cert map=keyturn
hostssl all any_cert 127.0.0.1/32 scram-sha-256 clientcert=verify-ca
hostssl all own_cert 127.0.0.1/32 scram-sha-256 clientcert=verify-full
hostssl all tls_only 127.0.0.1/32 scram-sha-256
`;

let authority: Authority;
let stranger: Authority;
let tls: TlsServer;
let proxy: TcpProxy;
const certificates = new Map<string, Issued>();

beforeAll(async () => {
  authority = await openAuthority('keyturn test CA');
  stranger = await openAuthority('another CA');
  const past = { from: '20200101000000Z', to: '20210101000000Z' };
  const made = {
    server: authority.issue({ commonName: 'server', names: ['DNS:localhost', 'IP:127.0.0.1'] }),
    'of the role by_cert': authority.issue({ commonName: 'by_cert' }),
    'of the role own_cert': authority.issue({ commonName: 'own_cert' }),
    'of another role': authority.issue({ commonName: 'keyturn' }),
    'of an unknown CA': stranger.issue({ commonName: 'by_cert' }),
    'that has expired': authority.issue({ commonName: 'by_cert', ...past }),
  };
  await Promise.all(
    Object.entries(made).map(async ([which, certificate]) => certificates.set(which, await certificate)),
  );
  tls = await startTlsServer({ clientCa: authority.ca, hba: HBA, ident: 'keyturn keyturn mapped\n' });
  await using admin = await adminOf(tls.server);
  await admin.client.query('CREATE ROLE rotators NOLOGIN');
  for (const role of ROLES) await admin.client.query(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`);
  await tls.show(certificates.get('server'));
  proxy = await startTcpProxy({ host: '127.0.0.1', port: tls.server.port, record: true });
});

afterAll(async () => {
  for (const opened of [proxy, tls, authority, stranger]) await opened?.[Symbol.asyncDispose]();
});

function target(user: string, which?: string, change: Partial<Database> = {}): Database {
  const settings: Tls = { mode: 'verify-full', ca: authority.ca, ...(which && certificates.get(which)) };
  return { host: 'localhost', port: proxy.port, database: 'postgres', user, tls: settings, ...change };
}

/** `in`, or the code and words of what is wrong; nothing of it crossed in plaintext. */
async function outcome(to: Database): Promise<string> {
  const before = proxy.recordings.length;
  try {
    await using _session = await connect(to);
    return 'in';
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const place = `${to.user}@${to.host}:${to.port}/${to.database}: `;
    const message = tell(error.fact);
    expect(message.startsWith(place)).toBe(true);
    const said = `${error.fact.code}: ${message.slice(place.length)}`;
    SAID.add(said);
    return said;
  } finally {
    if (to.tls.mode !== 'disable') {
      expect(proxy.recordings.slice(before).map(plaintextOf).join('')).toBe('');
    }
  }
}

const SAID = new Set<string>();

const password = { password: PASSWORD };
const NONE =
  'client-certificate-missing: the server demands a client certificate, and none is configured; set tls.cert and tls.key (sslcert and sslkey in a url)';
const UNKNOWN =
  'client-certificate-ca-unknown: the server does not know the CA of the client certificate of CN=by_cert; set ssl_ca_file there (client_tls_ca_file in PgBouncer) to the CA that issued it, or take a certificate of the one it has';
const EXPIRED =
  'client-certificate-expired: the server refuses the client certificate of CN=by_cert, which has expired; renew it, then set tls.cert and tls.key (sslcert and sslkey in a url)';

test.each<readonly [user: string, which: string | undefined, change: Partial<Database>, said: string]>([
  ['by_cert', 'of the role by_cert', {}, 'in'],
  ['by_cert', undefined, {}, NONE],
  [
    'by_cert',
    'of another role',
    {},
    'client-certificate-for-another-role: the client certificate is for CN=keyturn, and not for the role by_cert; take one whose CN is by_cert, or let pg_hba.conf map it (map=keyturn there, and in pg_ident.conf: keyturn keyturn by_cert)',
  ],
  ['by_cert', 'of an unknown CA', {}, UNKNOWN],
  ['by_cert', 'that has expired', {}, EXPIRED],
  ['mapped', 'of another role', {}, 'in'],
  ['any_cert', 'of another role', password, 'in'],
  ['any_cert', undefined, password, NONE],
  [
    'any_cert',
    'of another role',
    {},
    'password-missing: the server asks for a password, and there is none; check the user and password, and pg_hba.conf',
  ],
  ['own_cert', 'of the role own_cert', password, 'in'],
  [
    'own_cert',
    'of another role',
    password,
    'client-certificate-must-name-role: the password is right, but the client certificate is for CN=keyturn, and pg_hba.conf has clientcert=verify-full for own_cert; set clientcert=verify-ca for it, or let pg_hba.conf map it (map=keyturn there, and in pg_ident.conf: keyturn keyturn own_cert)',
  ],
  [
    'own_cert',
    'of another role',
    { password: 'wrong' },
    'login-refused: password authentication failed for user "own_cert"; check the user and password',
  ],
  ['tls_only', undefined, password, 'in'],
  ['tls_only', 'of another role', password, 'in'],
])(
  'as %s with a client certificate %s: what happens says what mends it',
  async (user, which, change, said) => {
    expect(await outcome(target(user, which, change))).toBe(said);
  },
);

test('a server that demands TLS says so to mode disable', async () => {
  const plain = target('tls_only', undefined, { ...password, tls: { mode: 'disable' } });
  expect(await outcome(plain)).toBe(
    'tls-required-by-pg-hba: the server lets tls_only in by TLS only, or not at all (no pg_hba.conf entry for host "127.0.0.1", user "tls_only", database "postgres", no encryption); set the mode of tls (sslmode in a url) to verify-full, or add an entry to pg_hba.conf',
  );
});

test('each of these faults has a message of its own', () => {
  expect(SAID.size).toBe(8);
});

test('a connection without a password has none, whatever PGPASSWORD says', async () => {
  process.env.PGPASSWORD = PASSWORD;
  onTestFinished(() => {
    delete process.env.PGPASSWORD;
  });
  expect(await outcome(target('tls_only'))).toMatch('the server asks for a password, and there is none');
});

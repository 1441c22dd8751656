// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the configuration, not of JavaScript
import { test as anyTest, beforeAll, expect } from 'vitest';
import { haveOpenssl, type Issued, openAuthority } from '../support/certificates.ts';
import { changed, load, problemFactsOf, problemsOf, VALID, warningsOf } from './config-folder.ts';

const test = anyTest.skipIf(!haveOpenssl);
const SPELT = '{ host: db.internal, database: orders, user: keyturn }';
const given = (url: string, more = '') => changed([SPELT, `{ url: ${JSON.stringify(url)}${more} }`]);
const FULL = { tls: { mode: 'verify-full' } };
const OFF = { tls: { mode: 'disable' } };

let ca: string;
let client: Issued;

beforeAll(async () => {
  await using authority = await openAuthority('keyturn test');
  ca = authority.ca;
  client = await authority.issue({ commonName: 'keyturn' });
});

test.each<[string, object]>([
  ['postgresql://u@h', { host: 'h', port: 5432, user: 'u', database: 'u', ...FULL }],
  ['postgres://u:p@h:6000/d', { host: 'h', port: 6000, user: 'u', password: 'p', database: 'd', ...FULL }],
  ['postgresql://u@h/', { host: 'h', database: 'u' }],
  ['postgresql://u%40t:p%2F%3A%25+@h/d%3F', { host: 'h', user: 'u@t', password: 'p/:%+', database: 'd?' }],
  ['postgresql://u:a:b?c@h/d', { user: 'u', password: 'a:b?c', host: 'h', database: 'd' }],
  ['postgresql://u@[2001:db8::1]:6000/d', { host: '2001:db8::1', port: 6000, ...FULL }],
  ['postgresql://u@[::1]/d', { host: '::1', ...OFF }],
  ['postgresql://u@%2Frun%2Fpg/d', { host: '/run/pg', port: 5432, database: 'd', ...OFF }],
  ['postgresql://u@/d?host=/run/pg&sslmode=require', { host: '/run/pg', database: 'd', ...OFF }],
  ['postgresql:///d?host=h&user=u&port=6000&password=p', { host: 'h', user: 'u', port: 6000, password: 'p' }],
  ['postgresql://u@h/d?dbname=e&host=i', { host: 'i', database: 'e' }],
  ['postgresql://u:p@h:6000/d?port=&dbname=&password=', { port: 5432, database: 'u' }],
  ['postgresql://u@localhost/d', { host: 'localhost', ...OFF }],
  ['postgresql://u@localhost/d?sslmode=verify-full', FULL],
  ['postgresql://u@h/d?sslmode=disable', OFF],
  ['postgresql://u@h/d?sslmode=require', { tls: { mode: 'require' } }],
  ['postgresql://u@h/d?ssl=true', { tls: { mode: 'require' } }],
  ['postgresql://u@h/d?sslmode=verify-full', FULL],
  ['postgresql://u@h/d?sslrootcert=system', FULL],
  ['postgresql://u@h/d?sslrootcert=system&sslmode=verify-full', FULL],
  ['postgresql://u@localhost/d?sslrootcert=system', FULL],
  ['postgresql://u@h/d?sslsni=0', { tls: { mode: 'verify-full', sni: false } }],
  ['postgresql://u@h/d?sslsni=1', FULL],
  [
    'postgresql://u@h/d?hostaddr=10.0.0.1',
    { host: '10.0.0.1', tls: { mode: 'verify-full', servername: 'h' } },
  ],
  [
    'postgresql://u@h/d?application_name=x&connect_timeout=3&keepalives=0&target_session_attrs=read-write&channel_binding=prefer&sslnegotiation=postgres&gssencmode=disable&port=&',
    FULL,
  ],
])('the url %s means what it does to libpq', (url, connection) => {
  const found = load(given(url)).connections.get('db');
  expect(found).toMatchObject(connection);
  if ('tls' in connection) expect(found).toHaveProperty('tls', connection.tls);
});

test('with a root certificate sslmode=require verifies the CA, as in libpq; the client certificate comes from its files', () => {
  const files = { 'ca.pem': ca, 'c/client.crt': client.cert, 'c/client.key': client.key };
  const of = (query: string) => load(given(`postgresql://u@h/d?${query}`), { files }).connections.get('db');
  const both = 'sslcert=c/client.crt&sslkey=c%2Fclient.key';
  expect(of('sslmode=require&sslrootcert=ca.pem')).toHaveProperty('tls', { mode: 'verify-ca', ca });
  expect(of(`sslmode=verify-ca&sslrootcert=ca.pem&${both}`)).toHaveProperty('tls', {
    mode: 'verify-ca',
    ca,
    ...client,
  });
  expect(of(`sslrootcert=ca.pem&${both}`)).toHaveProperty('tls', { mode: 'verify-full', ca, ...client });
  expect(of(`sslmode=require&${both}`)).toHaveProperty('tls', { mode: 'require', ...client });
});

test('a url has replicas and PgBouncers beside it, and its certificates are those of the replicas', () => {
  const more =
    ', replicas: [{ host: db-2 }, { host: 10.0.0.2, servername: db-3 }], pgbouncer: [{ host: localhost, user: p }]';
  const config = load(given('postgresql://u@h:6000/d?hostaddr=10.0.0.1&sslrootcert=ca.pem', more), {
    files: { 'ca.pem': ca },
  });
  expect(config.connections.get('db')).toMatchObject({
    tls: { mode: 'verify-full', ca, servername: 'h' },
    replicas: [
      { host: 'db-2', port: 6000, tls: { mode: 'verify-full', ca } },
      { host: '10.0.0.2', port: 6000, tls: { mode: 'verify-full', ca, servername: 'db-3' } },
    ],
    pgbouncer: [{ host: 'localhost', port: 6432, tls: { mode: 'disable' } }],
  });
  expect(config.connections.get('db')).not.toHaveProperty('replicas.0.tls.servername');
});

const ESCAPE = 'write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23, % as %25 and a space as %20';
const MODES = 'must be disable, require, verify-ca or verify-full';

test.each<readonly [what: string, url: string, problem: string]>([
  [
    'of another database',
    'mysql://u@h/d',
    `: is no connection URL; must be postgresql://user:password@host:port/database?sslmode=…, and ${ESCAPE}`,
  ],
  [
    'with an @ in its password',
    'postgresql://u:hunter2@x@h/d',
    `: has an @ after the one that ends the password; ${ESCAPE}`,
  ],
  [
    'with a / in its password',
    'postgresql://u:hun/ter2@h/d',
    `: has an @ after the one that ends the password; ${ESCAPE}`,
  ],
  ['with a % in its password', 'postgresql://u:hunter2%zz@h/d', `: has a % that begins no escape; ${ESCAPE}`],
  [
    'with a byte that is no text',
    'postgresql://u:hunter2%E4@h/d',
    ': has an escape that is no text; write each byte of a character as UTF-8 has it, such as ä as %C3%A4',
  ],
  ['of several hosts', 'postgresql://u@h,i/d', ': names several hosts; must be one, the primary'],
  [
    'of several sockets',
    'postgresql://u@/d?host=/run/a,/run/b',
    ': names several hosts; must be one, the primary',
  ],
  [
    'of several escaped sockets',
    'postgresql://u@%2Frun%2Fa%2C%2Frun%2Fb/d',
    ': names several hosts; must be one, the primary',
  ],
  [
    'of a socket and a host',
    'postgresql://u@/d?host=/run/postgresql,db.example.com',
    ': names several hosts; must be one, the primary',
  ],
  [
    'of several addresses',
    'postgresql://u@h/d?hostaddr=10.0.0.1,10.0.0.2',
    ': names several hosts; must be one, the primary',
  ],
  [
    'with a name for an address',
    'postgresql://u@h/d?hostaddr=db.example',
    ' (hostaddr): is not valid; must be an IP address',
  ],
  [
    'that takes its host back',
    'postgresql://u@h/d?host=',
    ' (host): is missing; must be a host, or the folder of a socket as ?host=/run/postgresql',
  ],
  [
    'with an & in its password',
    'postgresql://h/db?user=u&password=hunter&ter2=9',
    ": has a parameter that is none of libpq's; leave it out, or write an & in a value as %26",
  ],
  [
    'that demands what keyturn does not do',
    'postgresql://u@h/d?require_auth=md5',
    ' (require_auth): is not supported; leave it out; allowed: host, hostaddr, port, dbname, user, password, sslmode, sslrootcert, sslcert, sslkey, sslsni, sslnegotiation, sslcertmode, channel_binding, target_session_attrs, gssencmode, load_balance_hosts, application_name, fallback_application_name, client_encoding, connect_timeout, keepalives, keepalives_idle, keepalives_interval, keepalives_count, tcp_user_timeout, sslcompression',
  ],
  [
    'with a port that is none',
    'postgresql://u@h:x/d',
    ' (port): its port is not valid; must be a whole number from 1 to 65535',
  ],
  [
    'with a bare IPv6 address',
    'postgresql://u@[::1/d',
    ': has a host with a stray : or [; write an IPv6 address as [::1]',
  ],
  [
    'without a host',
    'postgresql://u@/d',
    ' (host): is missing; must be a host, or the folder of a socket as ?host=/run/postgresql',
  ],
  ['without a user', 'postgresql://h/d', ' (user): is missing; must be the name of a role'],
  [
    'of a role that PostgreSQL keeps',
    'postgresql://pg_x@h/d',
    ' (user): its user is not valid; must be the name of a role: 1 to 63 bytes, and not pg_…, public or none, which PostgreSQL keeps for itself',
  ],
  [
    'with half a parameter',
    'postgresql://u@h/d?sslmode',
    `: must have parameter=value after the ?, with & between two of them; ${ESCAPE}`,
  ],
  [
    'that prefers TLS',
    'postgresql://u@h/d?sslmode=prefer',
    ` (sslmode): prefer falls back to plaintext, which keyturn never does; ${MODES}`,
  ],
  [
    'that allows TLS',
    'postgresql://u@h/d?sslmode=allow',
    ` (sslmode): allow falls back to plaintext, which keyturn never does; ${MODES}`,
  ],
  ['with an empty mode', 'postgresql://u@h/d?sslmode=', ` (sslmode): is not valid; ${MODES}`],
  [
    'with an & too early',
    'postgresql://u@h/d?&sslmode=require',
    `: must have parameter=value after the ?, with & between two of them; ${ESCAPE}`,
  ],
  [
    'with a mode of node-postgres',
    'postgresql://u@h/d?sslmode=no-verify',
    ` (sslmode): is not valid; ${MODES}`,
  ],
  [
    'with the roots of the system and a weaker mode',
    'postgresql://u@h/d?sslrootcert=system&sslmode=verify-ca',
    ' (sslmode): is weaker than sslrootcert=system allows; must be verify-full',
  ],
  [
    'with a CA to verify and none to verify by',
    'postgresql://u@h/d?sslmode=verify-ca',
    ' (sslrootcert): is missing; must be the path of a PEM file with sslmode=verify-ca',
  ],
  [
    'with a certificate and no key',
    'postgresql://u@h/d?sslcert=x',
    ' (sslkey): is missing; must be there with sslcert, or leave both out',
  ],
  [
    'with a CA that is not there',
    'postgresql://u@h/d?sslrootcert=no.pem',
    ' (sslrootcert): file "no.pem" does not exist; must be a readable PEM file',
  ],
  [
    'with a CA and TLS off',
    'postgresql://u@h/d?sslmode=disable&sslrootcert=no.pem',
    ' (sslrootcert): has no use with mode disable; leave it out, or set mode to verify-full',
  ],
  [
    'with direct negotiation',
    'postgresql://u@h/d?sslnegotiation=direct',
    ' (sslnegotiation): is not what keyturn does; must be postgres, or left out',
  ],
  [
    'that requires channel binding',
    'postgresql://u@h/d?channel_binding=require',
    ' (channel_binding): is not what keyturn does; leave it out, and set sslmode=verify-full, which knows the server by its certificate',
  ],
  [
    'that wants a standby',
    'postgresql://u@h/d?target_session_attrs=standby',
    ' (target_session_attrs): is not what keyturn does; must be any or primary or read-write, or left out',
  ],
  [
    'with a service',
    'postgresql://u@h/d?service=x',
    ' (service): has no use here; leave it out, and write out what the service stands for',
  ],
  [
    'with a password file',
    'postgresql://u@h/d?passfile=x',
    ' (passfile): has no use here; leave it out, and write the password in the url, best as ${file:PATH}',
  ],
  [
    'with options',
    'postgresql://u@h/d?options=-csearch_path%3Dx',
    ' (options): has no use here; leave it out, and set what the rotator needs by ALTER ROLE … SET',
  ],
  [
    'with a revocation list',
    'postgresql://u@h/d?sslcrl=x',
    ' (sslcrl): has no use here; leave it out, as keyturn reads no revocation lists',
  ],
  [
    'with a misspelt parameter',
    'postgresql://u@h/d?sslmod=require',
    ' (sslmod): is not supported; did you mean sslmode?',
  ],
])('a url %s is refused with its place, and no password shows (G3)', (_, url, problem) => {
  const problems = problemsOf(given(url));
  expect(problems).toEqual([`k.yaml:2:14 connections.db.url${problem}`]);
  expect(problems.join()).not.toMatch(/hunter2|ter2/);
  expect(JSON.stringify(problemFactsOf(given(url)))).not.toMatch(/hunter2|ter2/);
});

test('a url beside what it says already is refused, with what to leave out', () => {
  const more = ', host: h, tls: { mode: require }, password: x';
  expect(problemsOf(given('postgresql://u@h/d', more))).toEqual([
    'k.yaml:2:36 connections.db.host: is there beside url, which says it already; leave out host, or spell out the url',
    'k.yaml:2:45 connections.db.tls: is there beside url, which says it already; leave out tls, or spell out the url',
    'k.yaml:2:69 connections.db.password: is there beside url, which says it already; leave out password, or spell out the url',
  ]);
});

test('a login that is the rotator of a url is refused', () => {
  expect(problemsOf(given('postgresql://orders_b@h/d'))).toEqual([
    'k.yaml:9:24 policies.orders.logins[1]: "orders_b" is the rotator of connection "db"; must be a login that keyturn does not use itself',
  ]);
});

test('G3: of a url that was filled in nothing shows, not even its host', () => {
  const env = {
    U: 'postgresql://u:hunter2@db.secret/d?sslmode=require&sslcert=secret.crt&sslkey=secret.key',
  };
  const told = [
    ...problemsOf(given('${U}'), { env }),
    ...warningsOf(given('${U}'), { env: { U: 'postgresql://u:hunter2@db.secret/d?sslmode=require' } }),
  ];
  expect(told).toEqual([
    'k.yaml:2:14 connections.db.url (sslcert): file its sslcert does not exist; must be a readable PEM file',
    'k.yaml:2:14 connections.db.url (sslkey): file its sslkey does not exist; must be a readable PEM file',
    'k.yaml:2:14 connections.db.url (sslmode): the connection to its host is encrypted, but anyone could answer it; better is verify-full',
  ]);
  expect(problemsOf(given('${U}'))).toEqual([
    'k.yaml:2:14 connections.db.url: environment variable U is not set; set it, or write ${U:-default}',
  ]);
});

test('a url that is no text is reported once', () => {
  expect(problemsOf(changed([SPELT, '{ url: 5 }']))).toEqual([
    'k.yaml:2:14 connections.db.url: is a number, not text (quote it); must be a URL that begins with postgresql:// or postgres://, percent-encoded',
  ]);
});

test('the state database has the same urls, and verify-full beyond loopback', () => {
  const state = (url: string) => `state: { database: ${JSON.stringify(url)} }\n${VALID}`;
  const of = (url: string) => load(state(url), { files: { 'ca.pem': ca } }).stateDatabase;
  expect(of('postgresql://u:p@h/d')).toEqual({
    host: 'h',
    port: 5432,
    database: 'd',
    user: 'u',
    password: 'p',
    tls: { mode: 'verify-full' },
  });
  expect(of('postgres://u@h/d?sslmode=verify-ca&sslrootcert=ca.pem')?.tls).toEqual({ mode: 'verify-ca', ca });
  expect(of('postgresql://u@127.0.0.1/d')?.tls).toEqual({ mode: 'disable' });
  expect(problemsOf(state('postgresql://u:hunter2@h:99999/d'))).toEqual([
    'k.yaml:1:20 state.database (port): its port is not valid; must be a whole number from 1 to 65535',
  ]);
  expect(problemsOf(state('postgresql://u:hunter2@h/d?sslmode=prefer'))).toEqual([
    `k.yaml:1:20 state.database (sslmode): prefer falls back to plaintext, which keyturn never does; ${MODES}`,
  ]);
  expect(warningsOf(state('postgresql://u:p@h/d?sslmode=disable'))).toEqual([
    'k.yaml:1:20 state.database (sslmode): the connection to its host is not encrypted; better is verify-full',
  ]);
});

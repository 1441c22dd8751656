import { counted } from '../../counted.ts';
import type { CertificateFact, ConnectionFacts } from '../../facts/doctor/connection-facts.ts';
import type { Messages } from '../message.ts';

const SERVER = 'db.internal:5432';
const HOST = 'db.internal';
const PGBOUNCER = { pgbouncer: 'pgbouncer.internal:6432', user: 'keyturn_console' };
const VERIFY = 'set tls: { mode: verify-full } on the connection';

/** How a method of pg_hba.conf lets a login in. */
const METHODS: Readonly<Record<string, string>> = {
  trust: 'without a password, so a leaked one that was rotated is not missed',
  password: 'by a password that crosses the network in the clear',
  ldap: 'by a password of a directory, not the one that keyturn sets',
  radius: 'by a password of a RADIUS server, not the one that keyturn sets',
  pam: 'by a password that PAM checks, not the one that keyturn sets',
  bsd: 'by a password of the operating system, not the one that keyturn sets',
  ident: 'by the name that their machine says they have there, not the password that keyturn sets',
  cert: 'by a client certificate, not the password that keyturn sets',
  gss: 'by Kerberos, not the password that keyturn sets',
  sspi: 'by Windows, not the password that keyturn sets',
  oauth: 'by a token, not the password that keyturn sets',
};

export const connectionMessages: Messages<ConnectionFacts> = {
  'server-ready': {
    text: ({ server, version, rotator }) => `PostgreSQL ${version} at ${server}, as ${rotator}`,
    means: 'The server can be reached as the rotator, and logins can be rotated there.',
    example: { server: SERVER, version: '18.4', rotator: 'keyturn' },
  },
  'replica-follows': {
    text: ({ replica }) => `${replica} follows this server`,
    means: 'The replica can be reached and replays what the primary does.',
    example: { replica: 'replica.internal:5432' },
  },
  'password-encryption-md5': {
    text: () =>
      'password_encryption of the server is md5. keyturn sets SCRAM verifiers all the same, which a consumer with an old driver (libpq before 10, JDBC before 42.2) cannot log in with',
    advice: 'see that consumers have newer drivers',
    means:
      'The server makes MD5 verifiers by default. Its consumers may have drivers that cannot authenticate by SCRAM.',
    example: {},
  },
  'server-clock-agrees': {
    text: ({ withinSeconds }) => `keyturn and PostgreSQL agree on the time to within ${withinSeconds} s`,
    means: "The clock that keyturn counts by and the server's clock are the same, as far as it matters.",
    example: { withinSeconds: 1 },
  },
  'server-clock-differs': {
    text: ({ aheadSeconds }) =>
      `the clock that keyturn counts by is ${Math.abs(aheadSeconds).toFixed(1)} s ${aheadSeconds > 0 ? 'ahead of' : 'behind'} PostgreSQL's: slots, graces and deadlines count by the one, and a VALID UNTIL by the other`,
    advice: 'have the state database and this server follow the same time server (NTP)',
    means:
      "Time counts by the clock of the state database, or by the machine's while that cannot be reached. That clock differs from that of the server on which logins are rotated.",
    example: { aheadSeconds: 12.5 },
  },
  'tls-to-loopback': {
    text: ({ mode }) => `${mode}, to this machine`,
    means: 'The connection does not leave the machine, so it needs no TLS.',
    example: { mode: 'disable' },
  },
  'tls-verified': {
    text: ({ mode }) => mode,
    means: 'The connection is encrypted, and the certificate of the server is verified.',
    example: { mode: 'verify-full' },
  },
  'connection-not-encrypted': {
    text: ({ host }) => `the connection to ${host} is not encrypted`,
    advice: VERIFY,
    means: 'Everybody on the way to the server can read and alter what is sent.',
    example: { host: HOST },
  },
  'connection-not-verified': {
    text: ({ host }) => `the connection to ${host} is encrypted, but anyone could answer it`,
    advice: VERIFY,
    means: 'The certificate of the server is not verified, so another server could take its place.',
    example: { host: HOST },
  },
  'certificate-expired': {
    text: ({ certificate, on }) => `${describeCertificate(certificate)} expired on ${on}`,
    advice: 'renew it',
    means: 'A certificate of the connection is not valid any more.',
    example: { certificate: { kind: 'server', host: HOST }, on: '2026-01-05' },
  },
  'certificate-expires-soon': {
    text: describeTerm,
    advice: 'renew it',
    means: 'A certificate of the connection is valid for less than 30 days.',
    example: { certificate: { kind: 'authority' }, days: 19, until: '2026-01-24' },
  },
  'certificate-valid': {
    text: describeTerm,
    means: 'A certificate of the connection is valid for 30 days or more.',
    example: { certificate: { kind: 'client' }, days: 90, until: '2026-04-05' },
  },
  'pgbouncer-ready': {
    text: ({ pgbouncer, user }) => `${user} may ask PgBouncer ${pgbouncer} who is logged in`,
    means: 'The console of the PgBouncer answers what a drain asks: its clients and connections.',
    example: PGBOUNCER,
  },
  'hba-not-readable': {
    text: () => 'the rotator may not read pg_hba.conf, as is usual',
    means: 'Only a superuser may read pg_hba.conf unless it was granted, so it was not checked.',
    example: {},
  },
  'hba-method-unsafe': {
    text: ({ file, line, logins, from, method }) =>
      `line ${line} of ${file} lets ${logins.join(' and ')} in from ${from} ${METHODS[method] ?? `by ${method}`}`,
    advice: ({ file, line, method }) =>
      `in line ${line} of ${file} put scram-sha-256 in the place of ${method}`,
    means:
      'A line of pg_hba.conf lets a login in without the password that a rotation sets, or has it sent in the clear.',
    example: {
      file: '/etc/postgresql/18/main/pg_hba.conf',
      line: 96,
      logins: ['orders_api_a', 'orders_api_b'],
      from: 'host 10.0.0.0/8',
      method: 'trust',
    },
  },
  'hba-line-broken': {
    text: ({ file, line, detail }) =>
      `the server cannot read line ${line} of ${file}: ${detail}: it goes on by the file as it was before, and would not start`,
    advice: 'correct that line',
    means: 'The file `pg_hba.conf` has a line with an error.',
    example: {
      file: '/etc/postgresql/18/main/pg_hba.conf',
      line: 7,
      detail: 'end-of-line before authentication method',
    },
  },
  'hba-safe': {
    text: ({ peer }) =>
      `pg_hba.conf has no line that lets the logins in otherwise than by SCRAM${peer ? ", but for accounts of the server's own machine (peer)" : ''}`,
    means: 'Every line of pg_hba.conf that is about the logins demands the password that a rotation sets.',
    example: { peer: true },
  },
  'hba-asks-no-password': {
    text: ({ server, login }) => `${server} does not ask ${login} for a password, so verify could prove none`,
    advice: 'let pg_hba.conf demand scram-sha-256 from this address',
    means:
      'The server would let the standby login in with any password, so a rotation could not prove the new one.',
    example: { server: SERVER, login: 'orders_api_b' },
  },
  'hba-lets-nobody-in': {
    text: ({ server, login, database }) =>
      `pg_hba.conf of ${server} has no line that lets ${login} in to ${database} from here, so verify would be refused`,
    advice: "add one with method scram-sha-256, also for consumers' addresses",
    means: 'The server would refuse the standby login from this address, whatever its password is.',
    example: { server: SERVER, login: 'orders_api_b', database: 'orders' },
  },
};

function describeTerm({ certificate, days, until }: ConnectionFacts['certificate-valid']): string {
  return `${describeCertificate(certificate)} is valid for ${counted(days, 'more day')}, until ${until}`;
}

function describeCertificate(certificate: CertificateFact): string {
  switch (certificate.kind) {
    case 'server':
      return `The certificate of ${certificate.host}`;
    case 'authority':
      return 'The CA certificate that ends last';
    case 'client':
      return 'The client certificate';
  }
}

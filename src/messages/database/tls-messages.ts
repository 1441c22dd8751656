import type { TlsFacts } from '../../facts/database/tls-facts.ts';
import type { Messages } from '../message.ts';
import { atServer } from './at-server.ts';

const PLACE = 'keyturn@db.internal:5432/orders';
const SUBJECT = 'CN=keyturn';
const CA = 'tls.ca (sslrootcert in a url)';
const OWN = 'tls.cert and tls.key (sslcert and sslkey in a url)';
const MODE = 'the mode of tls (sslmode in a url)';

/** keyturn's own certificate. */
function ownOf(subject: string | null): string {
  return subject === null ? 'our client certificate' : `the client certificate of ${subject || 'nobody'}`;
}

function isFor(subject: string | null): string {
  return `the client certificate is for ${subject === null ? 'none' : subject || 'nobody'}`;
}

function mapFor(subject: string | null, user: string): string {
  const name = /(?:^|, )CN=([^,]*)/.exec(subject ?? '')?.[1] ?? 'its-cn';
  return `let pg_hba.conf map it (map=keyturn there, and in pg_ident.conf: keyturn ${name} ${user})`;
}

function issuedBy(issuer: string | null): string {
  return issuer === null ? 'another CA' : issuer || 'a CA without a subject';
}

export const tlsMessages: Messages<TlsFacts> = atServer<TlsFacts>({
  'tls-failed': {
    text: ({ detail }) => detail,
    advice: "check the connection's tls settings against the server's certificate",
    means: 'TLS failed in a way that keyturn has no code for, in the words of Node.js or OpenSSL.',
    example: { place: PLACE, detail: 'certificate revoked' },
  },
  'server-has-no-tls': {
    text: () => 'the server has no TLS, and keyturn sends nothing in plaintext',
    advice: `turn it on there (ssl = on in postgresql.conf, client_tls_sslmode in pgbouncer.ini), or set ${MODE} to disable if nobody else can listen`,
    means: 'The connection asks for TLS, and the server has none.',
    example: { place: PLACE },
  },
  'server-is-not-postgresql': {
    text: () => 'what answers there does not speak the protocol of PostgreSQL',
    advice: 'check host and port',
    means: 'Something answers at the host and port, but it is neither PostgreSQL nor PgBouncer.',
    example: { place: PLACE },
  },
  'tls-required': {
    text: () => 'the server demands TLS',
    advice: `set ${MODE} to verify-full`,
    means: 'The connection has TLS turned off, and the server takes no connection without it.',
    example: { place: PLACE },
  },
  'tls-required-by-pg-hba': {
    text: ({ user, detail }) => `the server lets ${user} in by TLS only, or not at all (${detail})`,
    advice: `set ${MODE} to verify-full, or add an entry to pg_hba.conf`,
    means: 'The connection has TLS turned off, and no line of pg_hba.conf lets the user in without it.',
    example: {
      place: PLACE,
      user: 'keyturn',
      detail: 'no pg_hba.conf entry for host "10.0.0.9", user "keyturn", database "orders", no encryption',
    },
  },
  'tls-version-mismatch': {
    text: ({ detail }) => `the server and Node.js have no version or cipher of TLS in common (${detail})`,
    advice: ({ host, port }) =>
      `set ssl_min_protocol_version there to TLSv1.2, and see: openssl s_client -starttls postgres -connect ${host}:${port}`,
    means: 'The server and Node.js could not agree on a version or a cipher of TLS.',
    example: { place: PLACE, host: 'db.internal', port: 5432, detail: 'tlsv1 alert protocol version' },
  },
  'server-certificate-for-another-name': {
    text: ({ names, name }) => `the server's certificate is for ${names}, and not for ${name}`,
    advice: ({ name }) =>
      `connect by a name that it has, set tls.servername (host, beside hostaddr, in a url) to one, or have it issued for ${name}`,
    means: "The server's certificate is valid, but not for the name that the connection uses.",
    example: { place: PLACE, names: 'DNS:db-1.internal', name: 'db.internal' },
  },
  'server-certificate-self-signed': {
    text: ({ subject }) =>
      `the server's certificate, ${subject === null ? 'of its own making' : subject || 'without a subject'}, is self-signed`,
    advice: `set ${CA} to a copy of it, or have a CA issue one`,
    means: "No CA signed the server's certificate, so keyturn cannot tell whose it is.",
    example: { place: PLACE, subject: 'CN=db.internal' },
  },
  'server-certificate-issuer-unknown': {
    text: ({ issuer }) =>
      `the server's certificate was issued by ${issuedBy(issuer)}, which Node.js does not know`,
    advice: `set ${CA} to the certificate of that CA`,
    means: "The connection has no tls.ca, and the server's certificate comes from no public CA.",
    example: { place: PLACE, issuer: 'CN=Example Internal CA' },
  },
  'server-certificate-from-another-ca': {
    text: ({ issuer, ca }) =>
      `the server's certificate was issued by ${issuedBy(issuer)}, and tls.ca has ${ca || 'nobody'}`,
    advice: `set ${CA} to the certificate of the CA that issued it`,
    means: "The CA in tls.ca did not issue the server's certificate.",
    example: { place: PLACE, issuer: 'CN=Example CA 2026', ca: 'CN=Example CA 2020' },
  },
  'server-certificate-from-namesake-ca': {
    text: ({ issuer }) =>
      `another CA than the one in tls.ca issued the server's certificate, and both are named ${issuer || '(no subject)'}`,
    advice: `set ${CA} to the certificate of the CA that issued it`,
    means: "The CA in tls.ca has the name of the one that issued the server's certificate, but another key.",
    example: { place: PLACE, issuer: 'CN=Example CA' },
  },
  'server-certificate-expired': {
    text: ({ expiredAt }) => `the server's certificate expired on ${expiredAt}`,
    advice: 'renew it there, and reload the server',
    means: "The server's certificate is no longer valid.",
    example: { place: PLACE, expiredAt: '2026-02-03T04:05:06Z' },
  },
  'server-ca-certificate-expired': {
    text: () => 'a CA certificate of the server has expired',
    advice: `renew it, and set ${CA} to the new one`,
    means: "The server's certificate is valid, but one of the CA certificates above it is not.",
    example: { place: PLACE },
  },
  'server-certificate-not-yet-valid': {
    text: ({ validFrom }) => `the server's certificate is not valid before ${validFrom ?? 'some later time'}`,
    advice: 'check the clock of this machine, or have one issued that is valid now',
    means: "The server's certificate becomes valid later, or the clock of this machine is wrong.",
    example: { place: PLACE, validFrom: '2027-01-01T00:00:00Z' },
  },
  'client-certificate-missing': {
    text: () => 'the server demands a client certificate, and none is configured',
    advice: `set ${OWN}`,
    means: 'The server demands a client certificate, and the connection has none.',
    example: { place: PLACE },
  },
  'client-certificate-not-accepted': {
    text: () => 'the server does not accept the client certificate',
    advice: 'set ssl_ca_file there to the CA that issued it',
    means: 'The server demands a valid client certificate, and does not know the CA of this one.',
    example: { place: PLACE },
  },
  'client-certificate-for-another-role': {
    text: ({ subject, user }) => `${isFor(subject)}, and not for the role ${user}`,
    advice: ({ subject, user }) => `take one whose CN is ${user}, or ${mapFor(subject, user)}`,
    means:
      'A line of pg_hba.conf lets the role in by a client certificate that names it, and this one does not.',
    example: { place: PLACE, subject: SUBJECT, user: 'rotator' },
  },
  'client-certificate-must-name-role': {
    text: ({ subject, user }) =>
      `the password is right, but ${isFor(subject)}, and pg_hba.conf has clientcert=verify-full for ${user}`,
    advice: ({ subject, user }) => `set clientcert=verify-ca for it, or ${mapFor(subject, user)}`,
    means:
      'A line of pg_hba.conf asks for a password and for a client certificate that names the role. The password is right.',
    example: { place: PLACE, subject: SUBJECT, user: 'rotator' },
  },
  'client-certificate-ca-unknown': {
    text: ({ subject }) => `the server does not know the CA of ${ownOf(subject)}`,
    advice:
      'set ssl_ca_file there (client_tls_ca_file in PgBouncer) to the CA that issued it, or take a certificate of the one it has',
    means: 'The server refused the client certificate, because it does not know its CA.',
    example: { place: PLACE, subject: SUBJECT },
  },
  'client-certificate-expired': {
    text: ({ subject }) => `the server refuses ${ownOf(subject)}, which has expired`,
    advice: `renew it, then set ${OWN}`,
    means: 'The client certificate of the connection is no longer valid.',
    example: { place: PLACE, subject: SUBJECT },
  },
  'client-certificate-refused': {
    text: ({ subject, detail }) => `the server refuses ${ownOf(subject)} (${detail})`,
    advice: 'its log says why; renew the certificate, or correct tls.cert and tls.key',
    means: 'The server refused the client certificate for a reason that only its log has.',
    example: { place: PLACE, subject: SUBJECT, detail: 'sslv3 alert bad certificate' },
  },
});

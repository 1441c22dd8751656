import { once } from 'node:events';
import type { Database } from '../../config/config.ts';
import { subjectOf } from '../sessions/subject-of.ts';
import { certificateFault } from './certificate-fault.ts';
import { openTls } from './open-tls.ts';

interface Cause {
  readonly code?: unknown;
  readonly message?: string;
  /** OpenSSL's own word for it. */
  readonly reason?: string;
}

/** What pg says where the server answered neither yes nor no when it was asked for TLS. */
export const NO_ANSWER_TO_TLS = 'There was an error establishing an SSL connection';

/**
 * What is wrong between a server and us before or beside the password, and what mends it; undefined if that is not
 * what failed. To say more than OpenSSL does it looks at the server's certificate again. `proven`: the password was.
 */
export async function tlsFault(
  thrown: unknown,
  target: Database,
  proven: boolean,
): Promise<string | undefined> {
  const cause = (thrown ?? {}) as Cause;
  const told =
    ofNegotiation(cause, target) ??
    ofAuthentication(cause, target, proven) ??
    ofAlert(wordOf(cause), target) ??
    (await certificateFault(cause, target));
  if (told !== undefined || target.tls.mode === 'disable' || !wasCut(cause)) return told;
  // In TLS 1.3 a server refuses a client certificate after the client took the handshake for done: what we said
  // meanwhile may have the connection reset before its reason is read.
  return ofAlert(await alertOf(target), target);
}

function ofNegotiation({ message = '' }: Cause, { host, tls, user }: Database): string | undefined {
  if (message === 'The server does not support SSL connections') {
    return 'the server has no TLS, and keyturn sends nothing in plaintext; turn it on there (ssl = on in postgresql.conf, client_tls_sslmode in pgbouncer.ini), or set the mode of tls (sslmode in a url) to disable if nobody else can listen';
  }
  if (message === NO_ANSWER_TO_TLS) {
    return 'what answers there does not speak the protocol of PostgreSQL; check host and port';
  }
  // A Unix socket has no TLS that could be missing.
  if (tls.mode !== 'disable' || host.startsWith('/')) return undefined;
  if (/^no pg_hba\.conf entry .*(no encryption|SSL off)$/.test(message)) {
    return `the server lets ${user} in by TLS only, or not at all (${message}); set the mode of tls (sslmode in a url) to verify-full, or add an entry to pg_hba.conf`;
  }
  if (/^(SSL|TLS) required/.test(message)) {
    return 'the server demands TLS; set the mode of tls (sslmode in a url) to verify-full';
  }
  return undefined;
}

function ofAuthentication(
  { code, message = '' }: Cause,
  { tls, user }: Database,
  proven: boolean,
): string | undefined {
  if (/^connection requires a valid client certificate/.test(message)) {
    return tls.cert === undefined
      ? 'the server demands a client certificate, and none is configured; set tls.cert and tls.key (sslcert and sslkey in a url)'
      : 'the server did not take the client certificate for valid; set ssl_ca_file there to the CA that issued it';
  }
  const own = tls.cert === undefined ? 'none' : subjectOf(tls.cert);
  const map = `let pg_hba.conf map it (map=keyturn there, and in pg_ident.conf: keyturn ${commonName(own)} ${user})`;
  if (/^certificate authentication failed/.test(message)) {
    return `the client certificate is for ${own}, and not for the role ${user}; take one whose CN is ${user}, or ${map}`;
  }
  // A server that has proved to know the password refuses what comes after it, in the words it has for a wrong one.
  if (code === '28P01' && proven) {
    return `the password is right, but the client certificate is for ${own}, and pg_hba.conf has clientcert=verify-full for ${user}; set clientcert=verify-ca for it, or ${map}`;
  }
  return undefined;
}

function ofAlert(word: string | undefined, { tls, host, port }: Database): string | undefined {
  if (word === undefined) return undefined;
  const own =
    tls.cert === undefined ? 'our client certificate' : `the client certificate of ${subjectOf(tls.cert)}`;
  if (/alert unknown ca/.test(word)) {
    return `the server does not know the CA of ${own}; set ssl_ca_file there (client_tls_ca_file in PgBouncer) to the CA that issued it, or take a certificate of the one it has`;
  }
  if (/alert certificate expired/.test(word)) {
    return `the server refuses ${own}, which has expired; renew it, then set tls.cert and tls.key (sslcert and sslkey in a url)`;
  }
  if (/certificate required/.test(word)) {
    return 'the server demands a client certificate in the handshake, and none is configured; set tls.cert and tls.key (sslcert and sslkey in a url)';
  }
  if (
    /alert (bad|unsupported|revoked|decrypt)|alert certificate (unknown|revoked)|alert decrypt error/.test(
      word,
    )
  ) {
    return `the server refuses ${own} (${word}); its log says why; renew the certificate, or correct tls.cert and tls.key`;
  }
  if (
    /protocol version|unsupported protocol|wrong version number|handshake failure|no shared cipher/.test(word)
  ) {
    return `the server and Node.js have no version or cipher of TLS in common (${word}); set ssl_min_protocol_version there to TLSv1.2, and see: openssl s_client -starttls postgres -connect ${host}:${port}`;
  }
  return undefined;
}

function wasCut({ code, message = '' }: Cause): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || /^Connection terminated unexpectedly/.test(message);
}

/** The alert with which a server answers a handshake to which nothing was added. */
async function alertOf(target: Database): Promise<string | undefined> {
  try {
    const socket = await openTls(target);
    if (socket === undefined) return undefined;
    socket.resume();
    // One that has no objection waits for us.
    await once(socket, 'close', { signal: AbortSignal.timeout(1_000) }).finally(() => socket.destroy());
    return undefined;
  } catch (error) {
    return wordOf(error as Cause);
  }
}

/** What OpenSSL calls it: the last but the place in its source of `error:0A00042E:SSL routines:ssl3_read_bytes:…`. */
function wordOf({ reason, message }: Cause): string | undefined {
  return reason ?? /SSL routines:[^:]*:([^:]+)/.exec(message ?? '')?.[1];
}

function commonName(subject: string): string {
  return /(?:^|, )CN=([^,]*)/.exec(subject)?.[1] ?? 'its-cn';
}

import { once } from 'node:events';
import type { Database } from '../../config/config.ts';
import { type Fault, fault } from '../../facts/fault.ts';
import { placeOf } from '../connection/place-of.ts';
import { certificateFault } from './certificate-fault.ts';
import { openTls } from './open-tls.ts';
import { subjectOf } from './peer-certificate.ts';

interface Cause {
  readonly code?: unknown;
  readonly message?: string;
  /** OpenSSL's own word for it. */
  readonly reason?: string;
}

/** What pg says if the server answers neither yes nor no to the request for TLS. */
export const NO_ANSWER_TO_TLS = 'There was an error establishing an SSL connection';

/**
 * What is wrong between a server and keyturn before or beside the password; undefined if that is
 * not what failed. It looks at the server's certificate again, to say more than OpenSSL does.
 * `proven`: the password was.
 */
export async function tlsFault(
  thrown: unknown,
  target: Database,
  proven: boolean,
): Promise<Fault | undefined> {
  const cause = (thrown ?? {}) as Cause;
  const found =
    ofNegotiation(cause, target) ??
    ofAuthentication(cause, target, proven) ??
    ofAlert(wordOf(cause), cause, target) ??
    (await certificateFault(cause, target));
  if (found !== undefined || target.tls.mode === 'disable' || !wasCut(cause)) return found;
  // In TLS 1.3 a server refuses a client certificate after the client took the handshake for done.
  // What the client said meanwhile may have the connection reset before it reads the reason.
  return ofAlert(await alertOf(target), cause, target);
}

/** What pg and PgBouncer say is foreign text, and has no code. */
function ofNegotiation(cause: Cause, target: Database): Fault | undefined {
  const { message = '' } = cause;
  const { host, tls, user } = target;
  const place = placeOf(target);
  if (message === 'The server does not support SSL connections') {
    return fault('server-has-no-tls', { place }, { cause });
  }
  if (message === NO_ANSWER_TO_TLS) return fault('server-is-not-postgresql', { place }, { cause });
  // A Unix socket has no TLS that could be missing.
  if (tls.mode !== 'disable' || host.startsWith('/')) return undefined;
  if (/^no pg_hba\.conf entry .*(no encryption|SSL off)$/.test(message)) {
    return fault('tls-required-by-pg-hba', { place, user, detail: message }, { cause });
  }
  if (/^(SSL|TLS) required/.test(message)) return fault('tls-required', { place }, { cause });
  return undefined;
}

function ofAuthentication(cause: Cause, target: Database, proven: boolean): Fault | undefined {
  const { code, message = '' } = cause;
  const { tls, user } = target;
  const place = placeOf(target);
  if (/^connection requires a valid client certificate/.test(message)) {
    return tls.cert === undefined
      ? fault('client-certificate-missing', { place }, { cause })
      : fault('client-certificate-not-accepted', { place }, { cause });
  }
  const params = { place, user, subject: ownSubject(target) };
  if (/^certificate authentication failed/.test(message)) {
    return fault('client-certificate-for-another-role', params, { cause });
  }
  // After a server has proved that it knows the password, it refuses all else in the words for a
  // wrong one.
  if (code === '28P01' && proven) {
    return fault('client-certificate-must-name-role', params, { cause });
  }
  return undefined;
}

function ofAlert(word: string | undefined, cause: Cause, target: Database): Fault | undefined {
  if (word === undefined) return undefined;
  const place = placeOf(target);
  const own = { place, subject: ownSubject(target) };
  if (/alert unknown ca/.test(word)) return fault('client-certificate-ca-unknown', own, { cause });
  if (/alert certificate expired/.test(word)) {
    return fault('client-certificate-expired', own, { cause });
  }
  if (/certificate required/.test(word)) {
    return fault('client-certificate-missing', { place }, { cause });
  }
  if (REFUSED.test(word)) {
    return fault('client-certificate-refused', { ...own, detail: word }, { cause });
  }
  if (NOTHING_IN_COMMON.test(word)) {
    const { host, port } = target;
    return fault('tls-version-mismatch', { place, host, port, detail: word }, { cause });
  }
  return undefined;
}

/** OpenSSL's words for alerts. */
const REFUSED =
  /alert (bad|unsupported|revoked|decrypt)|alert certificate (unknown|revoked)|alert decrypt error/;
const NOTHING_IN_COMMON =
  /protocol version|unsupported protocol|wrong version number|handshake failure|no shared cipher/;

function ownSubject({ tls }: Database): string | null {
  return tls.cert === undefined ? null : subjectOf(tls.cert);
}

function wasCut({ code, message = '' }: Cause): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE' || /^Connection terminated unexpectedly/.test(message);
}

/** The alert with which a server answers a handshake after which the client says nothing. */
async function alertOf(target: Database): Promise<string | undefined> {
  try {
    const socket = await openTls(target);
    if (socket === undefined) return undefined;
    socket.resume();
    // A server that has no objection waits for the client.
    await once(socket, 'close', { signal: AbortSignal.timeout(1_000) }).finally(() => socket.destroy());
    return undefined;
  } catch (error) {
    return wordOf(error as Cause);
  }
}

/** OpenSSL's word, from `error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert unknown ca:…`. */
function wordOf({ reason, message }: Cause): string | undefined {
  return reason ?? /SSL routines:[^:]*:([^:]+)/.exec(message ?? '')?.[1];
}

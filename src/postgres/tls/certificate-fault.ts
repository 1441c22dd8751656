import { systemClock } from '../../clock.ts';
import type { Database } from '../../config/config.ts';
import { subjectOf } from '../sessions/subject-of.ts';
import { type PeerCertificate, peerCertificate } from './peer-certificate.ts';

interface Cause {
  readonly code?: unknown;
  /** On a name that does not fit: the certificate. */
  readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string } };
}

/** Why the certificate of a server was not accepted, and what mends it; undefined if that is not what Node.js found wrong. */
export async function certificateFault(cause: Cause, target: Database): Promise<string | undefined> {
  const { tls, host } = target;
  const name = tls.servername ?? host;
  if (cause.code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = cause.cert?.subjectaltname ?? `CN ${cause.cert?.subject?.CN}`;
    return `the server's certificate is for ${names}, and not for ${name}; connect by a name that it has, set tls.servername (host, beside hostaddr, in a url) to one, or have it issued for ${name}`;
  }
  const explain = CERTIFICATE[String(cause.code)];
  if (explain === undefined) return undefined;
  const peer = await peerCertificate(target).catch(() => undefined);
  return explain(peer, tls.ca === undefined ? undefined : subjectOf(tls.ca));
}

type Explain = (peer: PeerCertificate | undefined, ca: string | undefined) => string;

const unknownIssuer: Explain = (peer, ca) => {
  const issuer = peer?.issuer ?? 'another CA';
  if (ca === undefined) {
    return `the server's certificate was issued by ${issuer}, which Node.js does not know; set tls.ca (sslrootcert in a url) to the certificate of that CA`;
  }
  return issuer === ca
    ? `the server's certificate was issued by ${issuer}, but another one than that in tls.ca, which has the same name; set tls.ca (sslrootcert in a url) to the one that issued it`
    : `the server's certificate was issued by ${issuer}, and tls.ca has ${ca}; set tls.ca (sslrootcert in a url) to the certificate of the CA that issued it`;
};

/** By the names that Node.js has for X509_V_ERR_…: https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes */
const CERTIFICATE: Readonly<Record<string, Explain>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: (peer) =>
    `the server's certificate, ${peer?.subject ?? 'of its own making'}, is signed by itself; set tls.ca (sslrootcert in a url) to a copy of it, or have a CA issue one`,
  SELF_SIGNED_CERT_IN_CHAIN: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
  CERT_UNTRUSTED: unknownIssuer,
  CERT_SIGNATURE_FAILURE: unknownIssuer,
  CERT_HAS_EXPIRED: (peer) =>
    peer !== undefined && peer.validTo.getTime() < systemClock.now()
      ? `the server's certificate expired on ${instant(peer.validTo)}; renew it there, and reload the server`
      : 'a CA certificate of the server has expired; renew it, and set tls.ca (sslrootcert in a url) to the new one',
  CERT_NOT_YET_VALID: (peer) =>
    `the server's certificate is not valid before ${peer === undefined ? 'some later time' : instant(peer.validFrom)}; check the clock of this machine, or have one issued that is valid now`,
};

function instant(date: Date): string {
  return date.toISOString().replace('.000', '');
}

import { systemClock } from '../../clock.ts';
import type { Database } from '../../config/config.ts';
import { type Fault, fault } from '../../facts/fault.ts';
import { placeOf } from '../connection/place-of.ts';
import { type PeerCertificate, peerCertificate, subjectOf } from './peer-certificate.ts';

interface Cause {
  readonly code?: unknown;
  /** The certificate, where the name does not fit. */
  readonly cert?: { readonly subjectaltname?: string; readonly subject?: { readonly CN?: string } };
}

/**
 * Why the certificate of a server was not accepted; undefined if Node.js found nothing wrong with
 * it.
 */
export async function certificateFault(cause: Cause, target: Database): Promise<Fault | undefined> {
  const { tls, host } = target;
  const place = placeOf(target);
  if (cause.code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = cause.cert?.subjectaltname ?? `CN ${cause.cert?.subject?.CN}`;
    const name = tls.servername ?? host;
    return fault('server-certificate-for-another-name', { place, names, name }, { cause });
  }
  const explain = EXPLANATIONS[String(cause.code)];
  if (explain === undefined) return undefined;
  const peer = await peerCertificate(target).catch(() => undefined);
  return explain({ cause, place, peer, ca: tls.ca === undefined ? undefined : subjectOf(tls.ca) });
}

interface Seen {
  readonly cause: Cause;
  readonly place: string;
  /** Undefined where the server showed no certificate when it was asked again. */
  readonly peer: PeerCertificate | undefined;
  /** Whom the configured CA certificate is for. */
  readonly ca: string | undefined;
}

function unknownIssuer({ cause, place, peer, ca }: Seen): Fault {
  const issuer = peer?.issuer ?? null;
  if (ca === undefined) {
    return fault('server-certificate-issuer-unknown', { place, issuer }, { cause });
  }
  return issuer === ca
    ? fault('server-certificate-from-namesake-ca', { place, issuer }, { cause })
    : fault('server-certificate-from-another-ca', { place, issuer, ca }, { cause });
}

function expired({ cause, place, peer }: Seen): Fault {
  return peer !== undefined && peer.validTo.getTime() < systemClock.now()
    ? fault('server-certificate-expired', { place, expiredAt: instant(peer.validTo) }, { cause })
    : fault('server-ca-certificate-expired', { place }, { cause });
}

/**
 * By the names that Node.js has for X509_V_ERR_…:
 * https://nodejs.org/docs/latest-v20.x/api/tls.html#x509-certificate-error-codes
 */
const EXPLANATIONS: Readonly<Record<string, (seen: Seen) => Fault>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: ({ cause, place, peer }) =>
    fault('server-certificate-self-signed', { place, subject: peer?.subject ?? null }, { cause }),
  SELF_SIGNED_CERT_IN_CHAIN: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
  CERT_UNTRUSTED: unknownIssuer,
  CERT_SIGNATURE_FAILURE: unknownIssuer,
  CERT_HAS_EXPIRED: expired,
  CERT_NOT_YET_VALID: ({ cause, place, peer }) =>
    fault(
      'server-certificate-not-yet-valid',
      { place, validFrom: peer === undefined ? null : instant(peer.validFrom) },
      { cause },
    ),
};

function instant(date: Date): string {
  return date.toISOString().replace('.000', '');
}

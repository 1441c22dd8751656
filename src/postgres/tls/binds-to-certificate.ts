import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

/**
 * Object identifiers of signature algorithms that name a hash: RSA (PKCS #1) and ECDSA with MD5,
 * SHA-1 and SHA-2. https://www.rfc-editor.org/rfc/rfc3279#section-2.2 and
 * https://www.rfc-editor.org/rfc/rfc5758
 */
const WITH_HASH = /^(2a864886f70d0101(0[45b-e])|2a8648ce3d0401|2a8648ce3d04030[1-4])$/;

/**
 * Whether SCRAM can be bound to the certificate that the server showed. The binding uses the hash
 * of the certificate's signature. RSA-PSS and Ed25519 name none that all PostgreSQL servers agree
 * on, so such a login would fail. https://www.rfc-editor.org/rfc/rfc5929#section-4.1
 */
export function bindsToCertificate(stream: Duplex): boolean {
  if (!(stream instanceof TLSSocket)) return false;
  const { raw } = stream.getPeerCertificate();
  return raw !== undefined && WITH_HASH.test(signatureAlgorithm(raw));
}

/**
 * The object identifier of a certificate's signature, in hexadecimal; empty where it cannot be
 * read.
 */
function signatureAlgorithm(certificate: Buffer): string {
  const outer = read(certificate, 0);
  const signed = read(certificate, outer.start);
  const algorithm = read(certificate, signed.end);
  const identifier = read(certificate, algorithm.start);
  return certificate.toString('hex', identifier.start, identifier.end);
}

/** Where the content of a DER value begins and ends. */
function read(der: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = der[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  const octets = first & 0x7f;
  const start = at + 2 + octets;
  // No certificate has a length of more than six octets. Zero ends the search.
  const length = octets > 0 && octets <= 6 && start <= der.length ? der.readUIntBE(at + 2, octets) : 0;
  return { start, end: start + length };
}

import { X509Certificate } from 'node:crypto';

/** Whom the first certificate of a PEM text is for, on one line: `CN=db.internal, O=Example`. */
export function subjectOf(pem: string): string {
  return new X509Certificate(pem).subject?.replaceAll('\n', ', ') || 'nobody';
}

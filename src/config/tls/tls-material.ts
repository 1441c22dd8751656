import type { X509Certificate } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import { fact } from '../../facts/fact.ts';
import type { Tls } from '../config.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';
import type { ConnectionEntry } from '../schema/connection-schema.ts';
import type { ReadText } from '../yaml/read-text.ts';
import { certificatesIn, privateKeyIn } from './pem.ts';

/** The keys of an entry `tls` that hold PEM. */
export const MATERIAL = ['ca', 'cert', 'key'] as const;

type Material = Partial<Record<(typeof MATERIAL)[number], string>>;

/**
 * Reads and checks the certificates and key of an entry `tls`. A value that begins like PEM is the
 * text itself; any other one is the path of a file. What the mode does not use is not read.
 */
export function readMaterial(
  review: Review,
  path: Path,
  mode: Tls['mode'],
  tls: ConnectionEntry['tls'],
  readText: ReadText,
): Material {
  const material: Material = {};
  for (const part of MATERIAL) {
    const value = tls[part];
    if (value === undefined || mode === 'disable' || (mode === 'require' && part === 'ca')) continue;
    const read = value.trimStart().startsWith('-----BEGIN') ? { text: value } : readText(value);
    if ('text' in read && read.text.trim() !== '') material[part] = read.text;
    else {
      const fault = 'fault' in read ? read.fault : ({ reason: 'empty' } as const);
      const at = [...path, part];
      review.report(at, fact('pem-unreadable', { file: review.shown(at), ...fault }));
    }
  }
  checkCa(review, path, material);
  checkClient(review, path, material);
  return material;
}

function checkCa(review: Review, path: Path, { ca }: Material): void {
  if (ca === undefined) return;
  const at = [...path, 'ca'];
  const certificates = certificatesIn(ca);
  if (certificates === undefined) review.report(at, fact('certificate-unreadable', {}));
  for (const certificate of certificates ?? []) warnOfTime(review, at, certificate, 'ca');
}

function checkClient(review: Review, path: Path, { cert, key }: Material): void {
  const certificate = cert === undefined ? undefined : certificatesIn(cert)?.[0];
  const at = [...path, 'cert'];
  if (cert !== undefined && certificate === undefined) {
    review.report(at, fact('certificate-unreadable', {}));
  }
  if (certificate !== undefined) warnOfTime(review, at, certificate, 'client');
  if (key !== undefined) checkKey(review, [...path, 'key'], key, certificate);
}

function checkKey(review: Review, path: Path, pem: string, certificate: X509Certificate | undefined): void {
  const read = privateKeyIn(pem);
  if ('fault' in read) review.report(path, fact(`private-key-${read.fault}`, {}));
  else if (certificate !== undefined && !certificate.checkPrivateKey(read.key)) {
    review.report(path, fact('private-key-mismatch', {}));
  }
}

/** An expired certificate stops those who use it, and must not keep the others from starting. */
function warnOfTime(
  review: Review,
  path: Path,
  { subject: lines, validFrom, validTo }: X509Certificate,
  role: 'ca' | 'client',
): void {
  const subject = lines.replaceAll('\n', ', ');
  const now = systemClock.now();
  if (Date.parse(validTo) < now) {
    const expired = { subject, day: day(validTo), role };
    review.warn(path, fact('configured-certificate-expired', expired));
  } else if (Date.parse(validFrom) > now) {
    const early = { subject, day: day(validFrom), role };
    review.warn(path, fact('configured-certificate-early', early));
  }
}

function day(instant: string): string {
  return new Date(instant).toISOString().slice(0, 10);
}

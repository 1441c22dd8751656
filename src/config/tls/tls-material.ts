import type { KeyObject, X509Certificate } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import type { Tls } from '../config.ts';
import type { Path } from '../config-error.ts';
import type { ConnectionEntry } from '../schema/config-schema.ts';
import type { Draft } from '../schema/draft.ts';
import type { ReadText } from '../yaml/read-text.ts';
import { certificatesIn, privateKeyIn } from './pem.ts';

/** The keys of an entry `tls` that hold PEM. */
export const MATERIAL = ['ca', 'cert', 'key'] as const;

type Material = Partial<Record<(typeof MATERIAL)[number], string>>;

/**
 * Reads and checks the certificates and key of an entry `tls`, which stands at a path. A value that begins as PEM does is the
 * text itself; any other is the path of a file. What the mode has no use for is not read.
 */
export function readMaterial(
  draft: Draft,
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
      const fault = 'fault' in read ? read.fault : 'is empty';
      const at = [...path, part];
      draft.report(at, `file ${draft.quote(at)} ${fault}; must be a readable PEM file`);
    }
  }
  checkCa(draft, path, material);
  checkClient(draft, path, material);
  return material;
}

const NO_CERTIFICATE =
  'holds no certificate that can be read; must be PEM with nothing but whole ones between BEGIN CERTIFICATE and END CERTIFICATE';

function checkCa(draft: Draft, path: Path, { ca }: Material): void {
  if (ca === undefined) return;
  const certificates = certificatesIn(ca);
  if (certificates === undefined) draft.report([...path, 'ca'], NO_CERTIFICATE);
  for (const certificate of certificates ?? []) {
    warnOfTime(draft, [...path, 'ca'], certificate, 'no server certificate is valid by it');
  }
}

function checkClient(draft: Draft, path: Path, { cert, key }: Material): void {
  const certificate = cert === undefined ? undefined : certificatesIn(cert)?.[0];
  if (cert !== undefined && certificate === undefined) draft.report([...path, 'cert'], NO_CERTIFICATE);
  if (certificate !== undefined) {
    warnOfTime(draft, [...path, 'cert'], certificate, 'servers refuse it');
  }
  if (key === undefined) return;
  const read = privateKeyIn(key);
  if ('fault' in read) draft.report([...path, 'key'], read.fault);
  else if (certificate !== undefined && !certificate.checkPrivateKey(read as KeyObject)) {
    draft.report(
      [...path, 'key'],
      'is not the key of the certificate in cert; must be the one it was made with',
    );
  }
}

/** A warning: a certificate that ran out stops those who use it, and must not keep the others from starting. */
function warnOfTime(draft: Draft, path: Path, certificate: X509Certificate, so: string): void {
  const { subject, validFrom, validTo } = certificate;
  const name = subject.replaceAll('\n', ', ');
  const now = systemClock.now();
  if (Date.parse(validTo) < now) {
    draft.warn(path, `the certificate of ${name} expired on ${day(validTo)}, so ${so}; renew it`);
  } else if (Date.parse(validFrom) > now) {
    draft.warn(
      path,
      `the certificate of ${name} is not valid before ${day(validFrom)}, so ${so} until then; have patience, or set another`,
    );
  }
}

function day(instant: string): string {
  return new Date(instant).toISOString().slice(0, 10);
}

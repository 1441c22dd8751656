import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** The certificates in a PEM text. Undefined if there is none, or if one cannot be read. */
export function certificatesIn(pem: string): readonly [X509Certificate, ...X509Certificate[]] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  try {
    const [first, ...rest] = blocks.map((block) => new X509Certificate(block));
    return first && [first, ...rest];
  } catch {
    return undefined;
  }
}

/** The private key in a PEM text, or why there is none. */
export function privateKeyIn(
  pem: string,
): { readonly key: KeyObject } | { readonly fault: 'encrypted' | 'unreadable' } {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(pem)) {
    return { fault: 'encrypted' };
  }
  try {
    return { key: createPrivateKey(pem) };
  } catch {
    return { fault: 'unreadable' };
  }
}

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** The certificates in a PEM text, in its order; undefined where one of them cannot be read or none is there. */
export function certificatesIn(pem: string): readonly [X509Certificate, ...X509Certificate[]] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs) ?? [];
  try {
    const [first, ...rest] = blocks.map((block) => new X509Certificate(block));
    return first && [first, ...rest];
  } catch {
    return undefined;
  }
}

/** The private key in a PEM text, or in words that follow its name why there is none. Never quotes the text. */
export function privateKeyIn(pem: string): KeyObject | { readonly fault: string } {
  if (/^-----BEGIN ENCRYPTED|^Proc-Type:.*ENCRYPTED/m.test(pem)) {
    return {
      fault:
        'is encrypted with a passphrase, which nobody is there to type; must be a key without: openssl pkey -in client.key -out client-plain.key',
    };
  }
  try {
    return createPrivateKey(pem);
  } catch {
    return { fault: 'holds no private key that can be read; must be PEM, such as BEGIN PRIVATE KEY' };
  }
}

import type { FileFault, Shown } from '../problem.ts';

type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** About connections, TLS, and what goes over a network. */
export interface ConfigServerFacts {
  /** A connection without host that has what only goes with one. */
  readonly 'connection-host-missing': { readonly keys: readonly string[] };
  readonly 'replica-repeated': { readonly host: Shown; readonly of: 'primary' | 'replica' };
  readonly 'replica-servername-useless': Record<string, never>;
  /** A client certificate without its key, or a key without certificate. */
  readonly 'client-certificate-incomplete': { readonly there: string };
  readonly 'tls-over-socket': { readonly mode: TlsMode };
  readonly 'tls-part-useless': { readonly mode: 'disable' | 'require' };
  readonly 'pem-unreadable': FileFault & { readonly file: Shown };
  readonly 'certificate-unreadable': Record<string, never>;
  readonly 'private-key-encrypted': Record<string, never>;
  readonly 'private-key-unreadable': Record<string, never>;
  readonly 'private-key-mismatch': Record<string, never>;
  /** A warning. `role`: what the certificate is for; `day` as 2026-11-25. */
  readonly 'configured-certificate-expired': {
    readonly subject: string;
    readonly day: string;
    readonly role: 'ca' | 'client';
  };
  /** A warning. */
  readonly 'configured-certificate-early': {
    readonly subject: string;
    readonly day: string;
    readonly role: 'ca' | 'client';
  };
  /** A warning: nobody else's certificate would be told from the server's. */
  readonly 'tls-any-public-ca': { readonly host: Shown };
  /** A warning. */
  readonly 'tls-off': { readonly host: Shown };
  /** A warning. */
  readonly 'tls-unverified': { readonly host: Shown };
  /** `tls: { mode: disable }` beside a URL that is encrypted. */
  readonly 'plaintext-useless': { readonly key: string; readonly scheme: string };
  /** `tls` beside a `redis` that has its own. */
  readonly 'queue-plaintext-misplaced': Record<string, never>;
  readonly 'plaintext-refused': {
    /** The environment variable that names the endpoint, where no entry does. */
    readonly variable?: string;
    readonly scheme: string;
  };
  /** A warning: it goes over the network in plaintext, as the configuration allows. */
  readonly 'plaintext-allowed': { readonly variable?: string; readonly scheme: string };
}

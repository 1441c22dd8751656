import type { AtServer, SaidAtServer } from './server-facts.ts';

/**
 * About TLS between keyturn and a server: negotiation, the server's certificate, and keyturn's own.
 */
export interface TlsFacts {
  /** What Node.js or OpenSSL says of a fault that has no code of its own. */
  readonly 'tls-failed': SaidAtServer;
  readonly 'server-has-no-tls': AtServer;
  readonly 'server-is-not-postgresql': AtServer;
  readonly 'tls-required': AtServer;
  /** pg_hba.conf has no line for a connection without TLS. */
  readonly 'tls-required-by-pg-hba': SaidAtServer & { readonly user: string };
  readonly 'tls-version-mismatch': SaidAtServer & { readonly host: string; readonly port: number };

  readonly 'server-certificate-for-another-name': AtServer & {
    /** Those that it has, as Node.js writes them: `DNS:db.internal, IP Address:10.0.0.1`. */
    readonly names: string;
    readonly name: string;
  };
  /** Empty: it has no subject. Null: it could not be looked at. */
  readonly 'server-certificate-self-signed': AtServer & { readonly subject: string | null };
  readonly 'server-certificate-issuer-unknown': AtServer & { readonly issuer: string | null };
  readonly 'server-certificate-from-another-ca': AtServer & {
    readonly issuer: string | null;
    /** Whom the CA certificate of the configuration is for. */
    readonly ca: string;
  };
  readonly 'server-certificate-from-namesake-ca': AtServer & { readonly issuer: string };
  /** ISO 8601. */
  readonly 'server-certificate-expired': AtServer & { readonly expiredAt: string };
  readonly 'server-ca-certificate-expired': AtServer;
  /** ISO 8601; null: it could not be looked at. */
  readonly 'server-certificate-not-yet-valid': AtServer & { readonly validFrom: string | null };

  readonly 'client-certificate-missing': AtServer;
  readonly 'client-certificate-not-accepted': AtServer;
  readonly 'client-certificate-for-another-role': AtServer & OwnCertificate & { readonly user: string };
  /** The password is right, but clientcert=verify-full is on. */
  readonly 'client-certificate-must-name-role': AtServer & OwnCertificate & { readonly user: string };
  readonly 'client-certificate-ca-unknown': AtServer & OwnCertificate;
  readonly 'client-certificate-expired': AtServer & OwnCertificate;
  readonly 'client-certificate-refused': SaidAtServer & OwnCertificate;
}

interface OwnCertificate {
  /** Whom keyturn's certificate is for: `CN=keyturn`. Empty: nobody. Null: none is configured. */
  readonly subject: string | null;
}

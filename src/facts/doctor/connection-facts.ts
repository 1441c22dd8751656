/**
 * About a connection: its server, TLS, certificates, clock, replicas, PgBouncers and pg_hba.conf.
 */
export interface ConnectionFacts {
  readonly 'server-ready': { readonly server: string; readonly version: string; readonly rotator: string };
  readonly 'replica-follows': { readonly replica: string };
  readonly 'password-encryption-md5': Record<never, never>;
  readonly 'server-clock-agrees': { readonly withinSeconds: number };
  /** `aheadSeconds` is negative where the clock that keyturn counts by is behind. */
  readonly 'server-clock-differs': { readonly aheadSeconds: number };

  readonly 'tls-to-loopback': { readonly mode: string };
  readonly 'tls-verified': { readonly mode: string };
  readonly 'connection-not-encrypted': { readonly host: string };
  readonly 'connection-not-verified': { readonly host: string };
  readonly 'certificate-expired': { readonly certificate: CertificateFact; readonly on: string };
  readonly 'certificate-expires-soon': CertificateTerm;
  readonly 'certificate-valid': CertificateTerm;

  readonly 'pgbouncer-ready': { readonly pgbouncer: string; readonly user: string };

  readonly 'hba-not-readable': Record<never, never>;
  /** `method` is what stands in the line. */
  readonly 'hba-method-unsafe': {
    readonly file: string;
    readonly line: number;
    readonly logins: readonly string[];
    readonly from: string;
    readonly method: string;
  };
  /** `detail`: what PostgreSQL says of the line. */
  readonly 'hba-line-broken': { readonly file: string; readonly line: number; readonly detail: string };
  /** `peer`: whether accounts of the server's own machine get in by their name. */
  readonly 'hba-safe': { readonly peer: boolean };
  readonly 'hba-asks-no-password': { readonly server: string; readonly login: string };
  readonly 'hba-lets-nobody-in': {
    readonly server: string;
    readonly login: string;
    readonly database: string;
  };
}

/**
 * A server's own certificate, that of a client, or of a bundle of authorities the one that is valid
 * longest.
 */
export type CertificateFact =
  | { readonly kind: 'server'; readonly host: string }
  | { readonly kind: 'authority' }
  | { readonly kind: 'client' };

interface CertificateTerm {
  readonly certificate: CertificateFact;
  readonly days: number;
  readonly until: string;
}

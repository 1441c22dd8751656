/** Why a text is no connection URL. */
export type UrlFault = 'encoding' | 'escape' | 'host' | 'no-url' | 'parameter' | 'several-hosts' | 'stray-at';

/** Parameters of libpq that have no effect with keyturn, which has another way to the same end. */
export type UselessParameter = 'options' | 'passfile' | 'service' | 'sslcrl' | 'sslcrldir' | 'sslpassword';

/** About a connection URL. Never with a piece of it: that may be a piece of the password. */
export interface ConfigUrlFacts {
  readonly 'url-malformed': { readonly why: UrlFault };
  /** An entry beside `url` that the URL says already. */
  readonly 'url-repeated': { readonly key: string };
  readonly 'url-parameter-missing': { readonly parameter: 'host' | 'sslrootcert' | 'user' };
  readonly 'url-parameter-invalid': { readonly parameter: 'hostaddr' | 'sslmode' | 'sslsni' };
  /** Not even its name is shown: it may be the rest of a password. */
  readonly 'url-parameter-unknown': Record<string, never>;
  readonly 'url-parameter-unsupported': { readonly near?: string; readonly allowed: readonly string[] };
  readonly 'url-parameter-useless': { readonly parameter: UselessParameter };
  readonly 'url-parameter-differs': { readonly allowed: readonly string[] };
  readonly 'url-requires-channel-binding': Record<string, never>;
  readonly 'url-mode-falls-back': { readonly mode: 'allow' | 'prefer' };
  readonly 'url-mode-weaker-than-system': Record<string, never>;
}

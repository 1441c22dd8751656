/** About sinks of events. Their URLs and secrets are never shown. */
export interface ConfigSinkFacts {
  readonly 'sink-url-has-credentials': Record<string, never>;
  readonly 'sink-url-plaintext': Record<string, never>;
  readonly 'sink-url-private': Record<string, never>;
  readonly 'sink-mail-plaintext': Record<string, never>;
  readonly 'sink-mail-login-incomplete': { readonly there: 'user' | 'password' };
  readonly 'sink-secret-invalid': Record<string, never>;
}

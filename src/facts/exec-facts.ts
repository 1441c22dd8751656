/** About `keyturn exec`. */
export interface ExecFacts {
  readonly 'exec-command-missing': Record<string, never>;
  /** Neither a policy nor a store with secrets, or both. */
  readonly 'exec-source-unclear': Record<string, never>;
  readonly 'exec-store-unknown': {
    readonly store: string;
    readonly known: readonly string[];
    readonly near?: string;
  };
  /** `published`: the stores that the policy publishes to. */
  readonly 'exec-policy-not-in-store': {
    readonly policy: string;
    readonly store: string;
    readonly published: readonly string[];
  };
  readonly 'exec-secrets-malformed': { readonly given: string };
  readonly 'exec-secret-name-invalid': { readonly store: string; readonly secret: string };
  readonly 'exec-field-unknown': {
    readonly given: string;
    readonly known: readonly string[];
    readonly near?: string;
  };
  readonly 'exec-fields-missing': { readonly missing: readonly string[] };
  /** Only the part before the first `=`: the rest may be anything. */
  readonly 'exec-env-malformed': { readonly name: string };
  readonly 'exec-placeholder-unknown': {
    readonly name: string;
    readonly placeholder: string;
    readonly known: readonly string[];
    readonly near?: string;
  };
  /** Neither the configuration nor the store has the value of a placeholder. */
  readonly 'exec-value-missing': { readonly name: string; readonly placeholder: string };
  /** `name`: the variable that would have it. */
  readonly 'exec-value-with-nul': { readonly name: string };
  readonly 'exec-on-rotate-unknown': { readonly given: string; readonly signals: readonly string[] };
  readonly 'exec-not-published': { readonly store: string; readonly secrets: readonly string[] };
  /** `errno`: what the system says, such as ENOENT. */
  readonly 'exec-program-not-started': { readonly program: string; readonly errno: string };
}

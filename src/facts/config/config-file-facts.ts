import type { FileFault, Place } from '../problem.ts';

/** Why a text is not YAML, or not YAML that keyturn takes. */
export type YamlFault =
  | 'alias'
  | 'bad-indent'
  | 'brace'
  | 'bracket'
  | 'colon-twice'
  | 'escape'
  | 'first-character'
  | 'missing-character'
  | 'reference-in-brackets'
  | 'second-document'
  | 'tab'
  | 'tag'
  | 'unknown';

/** About the files of a configuration, their YAML, and what `${…}` stands for. */
export interface ConfigFileFacts {
  readonly 'config-path-unreadable': FileFault;
  readonly 'config-folder-empty': Record<string, never>;
  readonly 'config-file-unreadable': FileFault;
  readonly 'yaml-invalid': { readonly why: YamlFault };
  readonly 'yaml-key-unusable': Record<string, never>;
  readonly 'yaml-alias-unresolved': Record<string, never>;
  readonly 'config-file-no-mapping': { readonly found: 'list' | 'value' };
  readonly 'defined-twice': { readonly name: string; readonly first: Place };
  readonly 'variable-unset': { readonly name: string };
  readonly 'reference-malformed': Record<string, never>;
  readonly 'reference-unreadable': FileFault & { readonly path: string };
  /** A warning: every user of the machine may read a file with a secret. */
  readonly 'secret-file-exposed': {
    readonly file: string;
    /** `literal`: it is written out in the configuration itself. */
    readonly holds: 'literal' | 'password' | 'private-key';
  };
}

/** Why keyturn does not edit a configuration. */
export type WhyNotEditable =
  | 'alias'
  | 'anchor'
  | 'brackets'
  /** It is filled in, or written in a way that was not expected. */
  | 'not-found'
  | 'tag'
  /** The edited text would say something else, too. */
  | 'unclear';

/** A place of the configuration that keyturn would edit. */
interface EditPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly why: WhyNotEditable;
}

/** About edits of the configuration. */
export interface ConfigEditFacts {
  /** `entry` is what to add by hand, in one line of YAML. */
  readonly 'config-not-extended': EditPlace & { readonly entry: string };
  readonly 'config-not-reduced': EditPlace & { readonly path: string };
  /** The file was written by somebody else in the meantime. */
  readonly 'config-edited-meanwhile': { readonly file: string };
  /** `draft` is the path of what another process is about to replace the file with. */
  readonly 'config-being-edited': { readonly file: string; readonly draft: string };
  /** The file is a version of a mounted folder, which is replaced as a whole. */
  readonly 'config-file-mounted': { readonly file: string };
  readonly 'config-not-written': { readonly file: string; readonly detail: string };
}

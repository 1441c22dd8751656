import type { Fact } from '../fact.ts';

/** What `keyturn attach` and `keyturn detach` refuse and tell. */
export interface AttachmentFacts {
  readonly 'secrets-option-invalid': { readonly given: string; readonly known: readonly string[] };
  readonly 'secrets-field-unknown': {
    readonly field: string;
    readonly near?: string;
    readonly known: readonly string[];
  };
  readonly 'secrets-field-repeated': { readonly field: string };
  /** The configuration could not have such a destination. */
  readonly 'attachment-not-valid': {
    readonly problems: readonly { readonly option: '--store' | '--secrets'; readonly fact: Fact }[];
  };
  readonly 'attachment-there-already': { readonly policy: string; readonly destination: string };
  readonly 'attachment-not-there': {
    readonly policy: string;
    readonly store: string;
    /** The destinations that the policy has. */
    readonly known: readonly string[];
    /** Those in that store, with their secrets as `--secrets` takes them. */
    readonly inStore: readonly { readonly destination: string; readonly secrets: string }[];
  };
  readonly 'attachment-ambiguous': { readonly policy: string; readonly destinations: readonly string[] };
  readonly 'attachment-is-primary': { readonly policy: string; readonly isOnly: boolean };
  readonly 'attachment-during-rotation': { readonly policy: string; readonly rotation: string };
  readonly 'attachment-of-altered-version': { readonly destination: string };
  readonly 'attachment-changed-since-shown': { readonly policy: string };
  readonly 'attachment-publishes': {
    readonly policy: string;
    readonly store: string;
    readonly secrets: readonly string[];
    readonly file: string;
    readonly line: number;
  };
  readonly 'attachment-ends': AttachmentEnd;
  readonly 'attachment-published': {
    readonly policy: string;
    readonly store: string;
    readonly login: string;
  };
  /** The first rotation publishes to it. */
  readonly 'attachment-awaits-rotation': { readonly policy: string; readonly store: string };
  readonly 'attachment-ended': { readonly policy: string; readonly store: string; readonly deleted: boolean };
  /** The configuration does not name them any more. */
  readonly 'detached-secrets-left': {
    readonly store: string;
    readonly secrets: readonly string[];
    readonly cause: Fact;
  };
}

interface AttachmentEnd {
  readonly policy: string;
  readonly store: string;
  readonly secrets: readonly string[];
  readonly file: string;
  readonly line: number;
  readonly deletes: boolean;
}

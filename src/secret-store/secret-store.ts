import type { Field, Mapping } from '../config/policy.ts';

/** The label of a version, as in AWS Secrets Manager: AWSCURRENT, AWSPENDING, AWSPREVIOUS. */
export type Stage = 'current' | 'pending' | 'previous';

export type Fields = Readonly<Partial<Record<Field, string>>>;

export interface Version {
  /**
   * The rotation that staged it; undefined when the secrets that have one do not share it, or it was made by hand.
   * It does not say that every secret of the mapping has this version: the fields do.
   */
  readonly token: string | undefined;
  /** The mapped fields that this version has. */
  readonly fields: Fields;
  /** Of a current version: that it seems to have been altered in place, which only some stores let anybody do. */
  readonly edited?: true;
}

export interface PromoteOptions {
  /** Whether a version that is `previous` may become current again. */
  readonly back?: boolean;
}

/** A folder of a store that more users may look into or write to than need to, in a way that stops nothing. */
export interface Exposure {
  readonly path: string;
  /** Of the folder, as in `chmod`. */
  readonly mode: number;
  /** To whom, and what they may: the gravest. */
  readonly to: 'group' | 'others';
  readonly may: 'read' | 'write';
}

/**
 * A secret store, seen through the mapping of one destination. Every verb may be repeated with the same
 * token and ends in the same state. "Absent" is `undefined`; every other fault is a {@link StoreError}.
 */
export interface SecretStore {
  /**
   * The mapped fields under a stage, or undefined when no mapped field has a value there. Under `current` it is what
   * consumers see. A version whose promotion stopped halfway is under `pending`, whole, until the rest has followed.
   */
  read(mapping: Mapping, stage: Stage): Promise<Version | undefined>;
  /**
   * Writes a version under the stage `pending`, invisible to readers of `current`: one secret after the other, that of
   * the password first. What the token has staged already is never altered; where that is another password than the
   * one given and there is more to write, it is a StoreError of kind `conflict`. A version that was current before
   * stays at its stage. A JSON secret keeps its other keys. A secret that does not exist is made only with `create`,
   * else it is a StoreError of kind `missing`; a mapped field without a value is one of kind `invalid`.
   */
  stage(
    mapping: Mapping,
    token: string,
    fields: Fields,
    options: { readonly create: boolean },
  ): Promise<void>;
  /**
   * Makes the token's version `current` and the one before it `previous`; removes `pending` from it. Where a secret of
   * the mapping does not have it as `pending` or `current`, it is a StoreError of kind `invalid`, and nothing has
   * changed: a worker that was stopped, and wakes up when its version has been replaced, must not bring it back. Only
   * who goes back on purpose promotes a `previous` one.
   */
  promote(mapping: Mapping, token: string, options?: PromoteOptions): Promise<void>;
  /**
   * Takes the label `pending` off the token's version, if it has it, and forgets the version. Never one that is
   * current, be it in one secret of the mapping only.
   */
  discard(mapping: Mapping, token: string): Promise<void>;
  /**
   * Writes a version as `stage` does, but at no stage, and forgets it: all that staging takes is tried, and what is
   * current, pending or previous stays, whoever else is at work there. Never makes a secret: one that does not exist, or
   * has no version yet, is a {@link StoreError} of kind `missing`.
   */
  rehearse(mapping: Mapping, token: string, fields: Fields): Promise<void>;
  /** Left out where a store has no folders. */
  exposures?(mapping: Mapping): Promise<Exposure[]>;
  close(): Promise<void>;
}

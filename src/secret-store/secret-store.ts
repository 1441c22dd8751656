import type { Field, Mapping } from '../config/policy.ts';
import type { Fact } from '../facts/fact.ts';
import type { RightsCode } from '../facts/store-facts.ts';

/** The label of a version, as in AWS Secrets Manager: AWSCURRENT, AWSPENDING, AWSPREVIOUS. */
export type Stage = 'current' | 'pending' | 'previous';

export type Fields = Readonly<Partial<Record<Field, string>>>;

export interface Version {
  /**
   * The rotation that staged it; undefined when the secrets do not share it, or the version was
   * made by hand. It does not say that every secret of the mapping has this version: the fields do.
   */
  readonly token: string | undefined;
  /** The mapped fields that this version has. */
  readonly fields: Fields;
  /** Somebody seems to have altered the current version in place, which only some stores allow. */
  readonly edited?: true;
}

export interface PromoteOptions {
  /** Whether a version that is `previous` may become current again. */
  readonly back?: boolean;
  /**
   * Throws where this process may no longer promote. A store in which a call can hang without bound
   * calls it right before each change that consumers see, and lets what it throws through. Then
   * nothing that consumers see has changed. Others need not call it.
   */
  readonly confirm?: (() => Promise<void>) | undefined;
}

/**
 * A secret store, seen through the mapping of one destination. Every verb may be repeated with the
 * same token and ends in the same state. "Absent" is `undefined`; every other fault has a code of
 * `StoreFacts`.
 */
export interface SecretStore {
  /**
   * The mapped fields under a stage, or undefined when no mapped field has a value there. Under
   * `current` it is what consumers see. A version whose promotion stopped halfway is under
   * `pending`, as a whole, until the rest has followed.
   */
  read(mapping: Mapping, stage: Stage): Promise<Version | undefined>;
  /** Since when the current version is there; undefined where there is none, or nobody knows. */
  since(mapping: Mapping): Promise<Date | undefined>;
  /**
   * Writes a version under the stage `pending`, invisible to readers of `current`: one secret after
   * the other, that of the password first. It never alters what the token has staged already: where
   * that is another password than the one given, and there is more to write, it throws
   * `version-conflict`. A version that was current before stays at its stage. A JSON secret keeps
   * its other keys. A secret that does not exist is made only with `create`, else it throws
   * `secret-missing`. For a mapped field without a value it throws `field-without-value`.
   */
  stage(
    mapping: Mapping,
    token: string,
    fields: Fields,
    options: { readonly create: boolean },
  ): Promise<void>;
  /**
   * Makes the token's version `current` and the one before it `previous`; removes `pending` from
   * it. Where a secret of the mapping does not have it as `pending` or `current`, it throws
   * `version-not-promotable`, and nothing has changed: a worker that slept while its version was
   * replaced must not bring it back. Only a rollback promotes a `previous` one (`back`).
   */
  promote(mapping: Mapping, token: string, options?: PromoteOptions): Promise<void>;
  /**
   * Takes the label `pending` off the token's version, if it has it, and forgets the version. Never
   * one that is current, even if only in one secret of the mapping.
   */
  discard(mapping: Mapping, token: string): Promise<void>;
  /**
   * Deletes the secrets of the mapping with all their versions, and what is staged of them. What
   * does not exist is deleted already. Where a secret also holds what the mapping does not name, it
   * throws `secret-shared`, and nothing has changed.
   */
  remove(mapping: Mapping): Promise<void>;
  /**
   * What would keep `stage` from writing, as far as that can be seen without writing: every secret
   * that does not exist, unless `create`, and what else is in the way. `current` is what `read`
   * found, and spares requests for what is known to exist. Throws where the store cannot be asked,
   * or written to for now.
   */
  obstacles(
    mapping: Mapping,
    options: { readonly create: boolean; readonly current: Fields },
  ): Promise<readonly Fact[]>;
  /**
   * Writes a version as `stage` does, but at no stage, and forgets it. So everything that staging
   * needs is tried, and what is current, pending or previous stays, whoever else is at work there.
   * It never makes a secret: for one that does not exist it throws `secret-missing`, for one that
   * has no version yet `secret-empty`.
   */
  rehearse(mapping: Mapping, token: string, fields: Fields): Promise<void>;
  /**
   * Where more users than necessary may use the folders of the mapping, or fewer than configured.
   * Left out by stores without folders.
   */
  rightsFacts?(mapping: Mapping): Promise<Fact<RightsCode>[]>;
  close(): Promise<void>;
}

import type { Mapping } from '../../config/policy.ts';
import type { Fields, PromoteOptions, Stage, Version } from '../../secret-store/secret-store.ts';
import type { OpenDestination } from './policy-view.ts';

/**
 * The secrets of a policy's destinations. Each is read once, until something is written to it or it
 * is expired.
 */
export class Secrets {
  readonly #destinations: readonly OpenDestination[];
  readonly #versions = new Map<string, Promise<Version | undefined>>();

  constructor(destinations: readonly OpenDestination[]) {
    this.#destinations = destinations;
  }

  read(
    destination: OpenDestination,
    stage: Stage,
    { anew = false }: { readonly anew?: boolean } = {},
  ): Promise<Version | undefined> {
    const key = `${this.#destinations.indexOf(destination)} ${stage}`;
    const cached = anew ? undefined : this.#versions.get(key);
    const version = cached ?? destination.store.read(destination.secrets, stage);
    this.#versions.set(key, version);
    return version;
  }

  async stage({ store, secrets, create }: OpenDestination, token: string, fields: Fields): Promise<void> {
    await store.stage(secrets, token, fields, { create });
    this.expire();
  }

  async promote({ store, secrets }: OpenDestination, token: string, options: PromoteOptions): Promise<void> {
    await store.promote(secrets, token, options);
    this.expire();
  }

  /** Discards a pending version from some secrets of a destination. */
  async discard({ store }: OpenDestination, mapping: Mapping, token: string): Promise<void> {
    await store.discard(mapping, token);
    this.expire();
  }

  /** Has everything read again: others may have changed it. */
  expire(): void {
    this.#versions.clear();
  }
}

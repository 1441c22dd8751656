import pTimeout from 'p-timeout';
import * as z from 'zod';
import type { Mapping } from '../../config/policy.ts';
import type { ModuleStoreConfig } from '../../config/stores.ts';
import type { Fact } from '../../facts/fact.ts';
import { fault, isFault } from '../../facts/fault.ts';
import { type Reopenable, reopenable } from '../../reopenable.ts';
import type { Fields, PromoteOptions, SecretStore, Stage, Version } from '../secret-store.ts';
import { CODES, detailOf, faultOf, loadModule } from './load-module.ts';

const version = z
  .object({
    token: z.string().optional(),
    fields: z.record(z.string(), z.string()),
    edited: z.literal(true).optional(),
  })
  .optional();
const instant = z.date().optional();
const facts = z.array(z.object({ code: z.enum(CODES), params: z.record(z.string(), z.unknown()) }));
const nothing = z.undefined();

/** How long a verb may take: it holds up all who wait for the policy's lock. Milliseconds. */
const PATIENCE_MS = 60_000;

/**
 * Opens a store that somebody else wrote. What it gives is checked, and what it throws becomes a
 * fault without its message. It is loaded at its first use. No verb is waited for longer than
 * `patience` milliseconds.
 */
export function openModuleStore(
  config: ModuleStoreConfig,
  { patience = PATIENCE_MS }: { readonly patience?: number } = {},
): SecretStore {
  return new ModuleStore(config, patience);
}

class ModuleStore implements SecretStore {
  readonly #config: ModuleStoreConfig;
  readonly #patience: number;
  readonly #loaded: Reopenable<SecretStore>;

  constructor(config: ModuleStoreConfig, patience: number) {
    this.#config = config;
    this.#patience = patience;
    this.#loaded = reopenable(() => this.#inTime(loadModule(config), 'openStore'));
  }

  read(mapping: Mapping, stage: Stage): Promise<Version | undefined> {
    return this.#call('read', version, (store) => store.read(mapping, stage));
  }

  since(mapping: Mapping): Promise<Date | undefined> {
    return this.#call('since', instant, (store) => store.since(mapping));
  }

  stage(
    mapping: Mapping,
    token: string,
    fields: Fields,
    options: { readonly create: boolean },
  ): Promise<void> {
    return this.#call('stage', nothing, (store) => store.stage(mapping, token, fields, options));
  }

  promote(mapping: Mapping, token: string, options?: PromoteOptions): Promise<void> {
    return this.#call('promote', nothing, (store) => store.promote(mapping, token, options));
  }

  discard(mapping: Mapping, token: string): Promise<void> {
    return this.#call('discard', nothing, (store) => store.discard(mapping, token));
  }

  remove(mapping: Mapping): Promise<void> {
    return this.#call('remove', nothing, (store) => store.remove(mapping));
  }

  obstacles(
    mapping: Mapping,
    options: { readonly create: boolean; readonly current: Fields },
  ): Promise<readonly Fact[]> {
    return this.#call('obstacles', facts, (store) => store.obstacles(mapping, options));
  }

  rehearse(mapping: Mapping, token: string, fields: Fields): Promise<void> {
    return this.#call('rehearse', nothing, (store) => store.rehearse(mapping, token, fields));
  }

  async close(): Promise<void> {
    const loaded = await this.#loaded.opened()?.catch(() => undefined);
    if (loaded !== undefined) await this.#call('close', nothing, (store) => store.close());
  }

  async #call<Result>(
    verb: string,
    shape: z.ZodType,
    call: (store: SecretStore) => Promise<Result>,
  ): Promise<Result> {
    const store = await this.#loaded.get();
    const { name } = this.#config;
    let result: Result;
    try {
      result = await this.#inTime(call(store), verb);
    } catch (error) {
      if (isFault(error, 'store-module-too-slow')) throw error;
      throw faultOf(error) ?? fault('store-module-failed', { store: name, verb, detail: detailOf(error) });
    }
    if (shape.safeParse(result).success) return result;
    throw fault('store-module-wrong-result', { store: name, verb });
  }

  #inTime<Result>(promise: Promise<Result>, verb: string): Promise<Result> {
    const milliseconds = this.#patience;
    const late = { store: this.#config.name, verb, seconds: milliseconds / 1000 };
    // JavaScript's modules may give something else than a promise.
    return pTimeout(Promise.resolve(promise), {
      milliseconds,
      fallback: () => {
        throw fault('store-module-too-slow', late);
      },
    });
  }
}

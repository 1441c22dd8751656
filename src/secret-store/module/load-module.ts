import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as z from 'zod';
import type { Config } from '../../config/config.ts';
import type { Path } from '../../config/config-error.ts';
import type { ModuleStoreConfig } from '../../config/stores.ts';
import type { Fact } from '../../facts/fact.ts';
import { Fault, fault } from '../../facts/fault.ts';
import type { StoreFacts } from '../../facts/store-facts.ts';
import type { SecretStore } from '../secret-store.ts';

type Why = StoreFacts['store-module-invalid']['why'];

/** The verbs that every store has. */
export const VERBS = [
  'read',
  'since',
  'stage',
  'promote',
  'discard',
  'remove',
  'obstacles',
  'rehearse',
  'close',
] as const;

/** Loads a module, and has it open its store. Throws `store-module-invalid`. */
export async function loadModule(config: ModuleStoreConfig): Promise<SecretStore> {
  const { name, module, options } = config;
  const invalid = (why: Why, more: { readonly verb?: string; readonly detail?: string } = {}) =>
    fault('store-module-invalid', { store: name, module, why, ...more });
  const url = isAbsolute(module) ? pathToFileURL(module).href : module;
  const exports: unknown = await import(url).catch((error: unknown) => {
    throw invalid('import', { detail: detailOf(error) });
  });
  const openStore: unknown = Reflect.get(exports as object, 'openStore');
  if (typeof openStore !== 'function') throw invalid('no-open-store');
  let store: unknown;
  try {
    store = await openStore({ name, options });
  } catch (error) {
    const told = faultOf(error);
    if (told !== undefined) throw told;
    throw invalid('open-store', { detail: detailOf(error) });
  }
  if (typeof store !== 'object' || store === null) throw invalid('no-store');
  for (const verb of VERBS) {
    if (typeof Reflect.get(store, verb) !== 'function') throw invalid('no-verb', { verb });
  }
  // It has every verb; what they give is judged when they are called.
  return store as SecretStore;
}

/**
 * The codes of faults that a module may throw: the others are of one store, or of none. `lock-lost`
 * is what `confirm` of `promote` throws.
 */
export const CODES = [
  'field-without-value',
  'lock-lost',
  'secret-contended',
  'secret-empty',
  'secret-missing',
  'secret-not-json',
  'secret-shared',
  'store-denied',
  'store-refused',
  'store-throttled',
  'store-unreachable',
  'version-conflict',
  'version-not-promotable',
  'version-removed',
] as const;

const thrown = z.object({
  fact: z.object({ code: z.enum(CODES), params: z.record(z.string(), z.unknown()) }),
});

/** A fault of a module, which may have its own copy of this package; undefined for what is none. */
export function faultOf(error: unknown): Fault | undefined {
  const parsed = thrown.safeParse(error);
  // The parameters are those of the code if the module made it by `fault`.
  return parsed.success ? new Fault(parsed.data.fact as unknown as Fact) : undefined;
}

/** What is wrong with the modules of a configuration, each at its entry. */
export async function moduleFaults({
  stores,
}: Pick<Config, 'stores'>): Promise<{ readonly path: Path; readonly fact: Fact }[]> {
  const modules = [...stores.values()].filter((store) => store.type === 'module');
  const found = modules.map(async (store) => {
    const path = ['stores', store.name, 'module'];
    try {
      await (await loadModule(store)).close();
      return [];
    } catch (error) {
      if (error instanceof Fault) return [{ path, fact: error.fact }];
      const { name, module } = store;
      const params = { store: name, module, why: 'open-store', detail: detailOf(error) } as const;
      return [{ path, fact: fault('store-module-invalid', params).fact }];
    }
  });
  return (await Promise.all(found)).flat();
}

/** The code of an error, or its class. Its message may repeat a value (G3). */
export function detailOf(error: unknown): string {
  const code: unknown = Reflect.get(Object(error), 'code');
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{0,63}$/.test(code)) return code;
  const made: unknown = Reflect.get(Object(error), 'constructor');
  const name = typeof made === 'function' ? made.name : '';
  return /^[A-Za-z]{1,60}$/.test(name) ? name : 'Error';
}

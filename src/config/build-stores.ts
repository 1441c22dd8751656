import { resolve } from 'node:path';
import { fact } from '../facts/fact.ts';
import { moduleAt } from './checks/module-at.ts';
import type { Path } from './config-error.ts';
import type { Review } from './review.ts';
import type { Entries } from './schema/entries.ts';
import type { HttpTlsEntry, StoreEntry } from './schema/store-schema.ts';
import type { HttpTls, Store } from './stores.ts';
import { MATERIAL, readMaterial } from './tls/tls-material.ts';
import type { ReadText } from './yaml/read-text.ts';

/**
 * The stores, with their certificates. A relative path starts at `cwd`, that of a module in the
 * `folder` of the configuration.
 */
export function buildStores(
  review: Review,
  { stores }: Entries,
  { cwd, folder }: { readonly cwd: string; readonly folder: string },
  readText: ReadText,
): ReadonlyMap<string, Store> {
  const build = (name: string, store: StoreEntry): Store => {
    switch (store.type) {
      case 'file':
        return { name, ...store, path: resolve(cwd, store.path) };
      case 'vault': {
        const { tls, ...rest } = store;
        return { name, ...rest, ...builtTls(review, ['stores', name], tls, readText) };
      }
      case 'kubernetes': {
        const { kubeconfig, ...rest } = store;
        return { name, ...rest, ...(kubeconfig && { kubeconfig: resolve(cwd, kubeconfig) }) };
      }
      case 'module':
        return { name, ...store, module: moduleAt(review, ['stores', name, 'module'], store.module, folder) };
      default:
        return { name, ...store };
    }
  };
  return new Map(
    [...stores].flatMap(([name, store]) =>
      store === undefined ? [] : [[name, build(name, store)] as const],
    ),
  );
}

/** An entry `tls` of a server over HTTPS. */
function builtTls(
  review: Review,
  owner: Path,
  tls: HttpTlsEntry | undefined,
  readText: ReadText,
): { readonly tls?: HttpTls } {
  if (tls === undefined) return {};
  const path = [...owner, 'tls'];
  const { mode, servername } = tls;
  if (mode === 'disable') {
    for (const part of [...MATERIAL, 'servername'] as const) {
      if (tls[part] !== undefined) review.report([...path, part], fact('tls-part-useless', { mode }));
    }
    return {};
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const [there, missing] = tls.key === undefined ? ['cert', 'key'] : ['key', 'cert'];
    review.report([...path, missing], fact('client-certificate-incomplete', { there }));
  }
  const material = readMaterial(review, path, 'verify-full', tls, readText);
  return { tls: { ...material, ...(servername === undefined ? {} : { servername }) } };
}

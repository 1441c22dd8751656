import type { SecretStore } from '../../src/secret-store/secret-store.ts';

/** The same store, whatever its class, with some verbs replaced. */
export function storeWith(store: SecretStore, verbs: Partial<SecretStore>): SecretStore {
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(verbs, name);
      if (own !== undefined) return own;
      const verb: unknown = Reflect.get(target, name);
      return typeof verb === 'function' ? verb.bind(target) : verb;
    },
  });
}

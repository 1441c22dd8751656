import type { SecretStore } from './secret-store.ts';
import { StoreError, type StoreErrorKind } from './store-error.ts';

const KINDS: Readonly<Record<string, readonly [StoreErrorKind, string]>> = {
  EACCES: ['denied', 'let the user that keyturn runs as write there'],
  EPERM: ['denied', 'let the user that keyturn runs as write there'],
  EROFS: ['denied', 'the file system is read-only'],
  ENOSPC: ['unreachable', 'make room on the disk'],
  EIO: ['unreachable', 'check the disk'],
};

/** The same store, whose file-system errors have become StoreErrors. */
export function fileErrors(name: string, store: SecretStore): SecretStore {
  const guard =
    <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await verb(...args);
      } catch (cause) {
        if (cause instanceof StoreError) throw cause;
        const { code = '', message } = cause as NodeJS.ErrnoException;
        const [kind, remedy] = KINDS[code] ?? ['invalid', 'put the folder right, or choose another'];
        throw new StoreError(kind, `The store ${name}: ${message}; ${remedy}`, { cause });
      }
    };
  return {
    read: guard(store.read),
    stage: guard(store.stage),
    promote: guard(store.promote),
    discard: guard(store.discard),
    rehearse: guard(store.rehearse),
    close: store.close,
  };
}

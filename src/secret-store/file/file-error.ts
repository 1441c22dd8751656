import type { SecretStore } from '../secret-store.ts';
import { StoreError, type StoreErrorKind } from '../store-error.ts';
import { Unsafe } from './file-unsafe.ts';

// A folder that cannot be written now, be it full, read-only or closed, was one that could: somebody is about to mend it,
// as after a remount. So it is tried again.
const KINDS: Readonly<Record<string, readonly [StoreErrorKind, string]>> = {
  EACCES: ['unreachable', 'let the user that keyturn runs as read and write there'],
  EPERM: ['unreachable', 'let the user that keyturn runs as read and write there'],
  EROFS: ['unreachable', 'the file system is read-only; mount it to be written to'],
  ENOSPC: ['unreachable', 'make room on the disk'],
  EDQUOT: ['unreachable', 'make room on the disk, or raise the quota'],
  EIO: ['unreachable', 'check the disk'],
  ESTALE: ['unreachable', 'mount the file system again'],
  ETIMEDOUT: ['unreachable', 'check the server that the folder is mounted from'],
  EBUSY: ['unreachable', 'find out who uses it'],
  EMFILE: ['unreachable', 'let keyturn open more files'],
  ENFILE: ['unreachable', 'let the system open more files'],
};

/** The same store, whose file-system errors have become StoreErrors. */
export function fileErrors(name: string, store: Required<SecretStore>): SecretStore {
  const guard =
    <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await verb(...args);
      } catch (cause) {
        if (cause instanceof StoreError) throw cause;
        const { code = '', message } = cause as NodeJS.ErrnoException;
        if (cause instanceof Unsafe) {
          throw new StoreError('invalid', `The store ${name}: ${message}`, { cause });
        }
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
    exposures: guard(store.exposures),
    close: store.close,
  };
}

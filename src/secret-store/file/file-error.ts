import { Fault, fault } from '../../facts/fault.ts';
import type { SecretStore } from '../secret-store.ts';
import { Unsafe } from './file-unsafe.ts';

/**
 * What somebody is about to mend: the folder is full, read-only, closed or away, and could be used
 * before.
 */
const PASSING = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'ESTALE',
  'ETIMEDOUT',
  'EBUSY',
  'EMFILE',
  'ENFILE',
]);

/** The same store, whose file-system errors have become faults of the store. */
export function fileErrors(name: string, store: Required<SecretStore>): SecretStore {
  const guard =
    <Args extends unknown[], Result>(verb: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      try {
        return await verb.apply(store, args);
      } catch (cause) {
        throw fileError(name, cause);
      }
    };
  return {
    read: guard(store.read),
    since: guard(store.since),
    stage: guard(store.stage),
    promote: guard(store.promote),
    discard: guard(store.discard),
    remove: guard(store.remove),
    obstacles: guard(store.obstacles),
    rehearse: guard(store.rehearse),
    rightsFacts: guard(store.rightsFacts),
    close: guard(store.close),
  };
}

function fileError(store: string, cause: unknown): Fault {
  if (cause instanceof Fault) return cause;
  if (cause instanceof Unsafe) return cause.ofStore(store);
  // What Node.js says has the path and the system's name of the error, never the content of a file.
  const { code: errno = '', message: detail } = cause as NodeJS.ErrnoException;
  return PASSING.has(errno)
    ? fault('folder-unusable', { store, errno, detail }, { cause })
    : fault('folder-invalid', { store, detail }, { cause });
}

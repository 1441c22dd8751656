import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import type { FactParams } from '../../facts/fact.ts';
import { type Fault, fault } from '../../facts/fault.ts';
import type { Occupant } from '../../facts/store-facts.ts';

type UnsafeCode =
  | 'folder-contended'
  | 'folder-removed'
  | 'folder-owned-by-other'
  | 'folder-open-to-all'
  | 'folder-replaced'
  | 'link-foreign'
  | 'path-foreign'
  | 'path-too-large';

/** Something in a store that keyturn did not make, or that others could change. */
export class Unsafe extends Error {
  override readonly name = 'Unsafe';
  /** The fault of the store with this name. */
  readonly ofStore: (store: string) => Fault;

  private constructor(ofStore: (store: string) => Fault) {
    super('a file store is not safe');
    this.ofStore = ofStore;
  }

  static because<Code extends UnsafeCode>(code: Code, params: Omit<FactParams[Code], 'store'>): Unsafe {
    // The compiler does not see that `store` completes the parameters of each code.
    return new Unsafe((store) => fault(code, { store, ...params } as unknown as FactParams[Code]));
  }
}

/** What has a name now, and where it leads. */
export function occupantOf(path: string): Occupant {
  const found = statOf(path);
  if (found === undefined) return { kind: 'nothing' };
  if (found.isSymbolicLink()) {
    return { kind: 'link', target: ifThere(() => readlinkSync(path)) ?? '' };
  }
  if (found.isDirectory()) return { kind: 'folder' };
  if (found.isFile()) return { kind: 'file' };
  if (found.isFIFO()) return { kind: 'pipe' };
  return { kind: found.isSocket() ? 'socket' : 'device' };
}

/**
 * Throws Unsafe where a folder belongs to a user who is neither root nor the one that keyturn runs
 * as.
 */
export function requireOwner(path: string, { uid }: Pick<Stats, 'uid'>): void {
  // Windows has none.
  const own = process.geteuid?.();
  if (own === undefined || uid === own || uid === 0) return;
  throw Unsafe.because('folder-owned-by-other', { path, uid, own });
}

/** What has a name, without following a link; undefined where nothing has it. */
export function statOf(path: string): Stats | undefined {
  return ifThere(() => lstatSync(path));
}

/** What a call returns; undefined where it fails because something does not exist. */
export function ifThere<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    return absent(error);
  }
}

/** In a `catch`: what does not exist is undefined, every other error is thrown. */
export function absent(error: unknown): undefined {
  if (isErrno(error, 'ENOENT')) return undefined;
  throw error;
}

/** Whether the system gave one of these names to an error. */
export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  return names.includes(String((error as NodeJS.ErrnoException).code));
}

import { realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { type FactParams, fact } from '../../facts/fact.ts';
import type { Path } from '../config-error.ts';
import type { Review } from '../review.ts';

type Why = FactParams['store-module-unsafe']['why'];

const WRITTEN_BY_OTHERS = 0o022;

/**
 * The absolute path of a module that a store is written in; the name of a package as it is. Reports
 * a file that is not in the folder of the configuration, or that another user could have written:
 * it runs with all the rights of keyturn.
 */
export function moduleAt(review: Review, path: Path, module: string, folder: string): string {
  if (!module.startsWith('./')) return module;
  const file = resolve(folder, module);
  const why = unsafety(file, folder);
  if (why !== undefined) review.report(path, fact('store-module-unsafe', { module, why }));
  return file;
}

function unsafety(file: string, folder: string): Why | undefined {
  let real: string;
  try {
    real = realpathSync(file);
    const root = realpathSync(folder);
    if (!real.startsWith(root + sep)) return 'outside';
    if (!statSync(real).isFile()) return 'absent';
    for (let level = real; ; level = dirname(level)) {
      const why = exposure(statSync(level));
      if (why !== undefined) return why;
      if (level === root) return undefined;
    }
  } catch {
    return 'absent';
  }
}

/** Windows has no owner and no mode. */
function exposure({ uid, mode }: Stats): Why | undefined {
  const own = process.geteuid?.();
  if (own === undefined) return undefined;
  if (uid !== own && uid !== 0) return 'owner';
  return (mode & WRITTEN_BY_OTHERS) === 0 ? undefined : 'writable';
}

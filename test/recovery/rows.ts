import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const PAGE = resolve(import.meta.dirname, '../../docs/recovery.md');

/** A row of the table in docs/recovery.md. */
export interface Row {
  /** What happened. */
  readonly name: string;
  /** The words of the command that ends it, after `keyturn`, for the policy `app`; undefined: none of keyturn's. */
  readonly command: readonly string[] | undefined;
}

export function rowsOfPage(): readonly Row[] {
  const lines = readFileSync(PAGE, 'utf8').split('\n');
  const cells = lines.filter((line) => line.startsWith('| ')).map((line) => line.slice(2, -2).split(' | '));
  return cells.slice(1).flatMap(([name = '', ...others]) => {
    const [, command] = /^`keyturn (.*)`$/.exec(others.at(-1)?.trim() ?? '') ?? [];
    return name.startsWith('---')
      ? []
      : [{ name: name.trim(), command: command?.replace('<policy>', 'app').split(' ') }];
  });
}

/** The names of the rows that the tests of this folder run, as often as they do. */
export function rowsOfTests(): readonly string[] {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'));
  return files.flatMap((name) =>
    [...readFileSync(join(import.meta.dirname, name), 'utf8').matchAll(/\brow\(\s*'([^']+)'/g)].map(
      ([, row = '']) => row,
    ),
  );
}

/** The row of that name. Throws where the page has none. */
export function row(name: string): Row {
  const found = rowsOfPage().find((each) => each.name === name);
  if (!found) throw new Error(`docs/recovery.md has no row ${name}`);
  return found;
}

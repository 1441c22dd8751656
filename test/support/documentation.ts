import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** A fenced block of the README or of a page in docs/. */
export interface Block {
  readonly page: string;
  /** Empty for what is typed and printed in a terminal. */
  readonly language: string;
  readonly text: string;
}

/** Every fenced block, in the order in which a newcomer reads: the README first. */
export function blocks(): Block[] {
  const pages = [
    'README.md',
    ...readdirSync(join(ROOT, 'docs'))
      .sort()
      .map((name) => join('docs', name)),
  ];
  return pages.flatMap((page) =>
    [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(
      ([, language = '', text = '']) => ({ page, language, text }),
    ),
  );
}

/** The lines of a block that a reader types. */
export function commandsOf({ text }: Block): string[] {
  return text.split('\n').flatMap((line) => {
    const typed = line.replace(/^\$ /, '');
    return /^(npx|npm|docker) /.test(typed) ? [typed] : [];
  });
}

import { isVisible, replaceInvisible } from '../visible.ts';

/**
 * A word of a command as it is typed into a shell: whatever else is in it comes in single quotes, and what cannot be seen as
 * an escape, which takes a shell that knows $'…', such as bash or zsh.
 */
export function shellWord(word: string): string {
  if (/^[\w.:/@-]+$/.test(word)) return word;
  if (isVisible(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = replaceInvisible(word.replace(/[\\']/g, '\\$&'), (codePoint) =>
    [...Buffer.from(String.fromCodePoint(codePoint))]
      .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
      .join(''),
  );
  return `$'${escaped}'`;
}

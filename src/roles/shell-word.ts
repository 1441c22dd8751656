import { isVisible, replaceInvisible } from '../visible.ts';

/**
 * A word of a command as it is typed into a shell, in single quotes where that is needed.
 * Characters that cannot be seen become escapes in $'…', which bash and zsh know.
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

/** A word of a command as it is typed into a POSIX shell: whatever else is in it comes in single quotes. */
export function shellWord(word: string): string {
  return /^[\w.:/@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

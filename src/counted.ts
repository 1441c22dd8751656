/** `1 session`, `2 sessions`. `plural` is for nouns whose plural is not formed with -s. */
export function counted(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

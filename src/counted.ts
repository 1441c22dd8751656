/** `1 session`, `2 sessions`; a noun with another plural than -s brings it along. */
export function counted(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}

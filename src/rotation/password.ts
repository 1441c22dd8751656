import { randomInt } from 'node:crypto';

const LETTERS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A uniformly random password of letters, digits and the given symbols. */
export function generatePassword({ length, symbols }: { length: number; symbols: string }): string {
  const alphabet = LETTERS_AND_DIGITS + symbols;
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
}

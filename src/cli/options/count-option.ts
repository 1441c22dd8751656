import { InvalidArgumentError } from 'commander';

/** Parses an option that is a count: a whole number from 1 to 10,000. */
export function count(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 10_000) {
    throw new InvalidArgumentError('a whole number from 1 to 10000');
  }
  return number;
}

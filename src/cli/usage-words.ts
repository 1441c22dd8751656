import { nearest } from '../config/schema/nearest.ts';

/**
 * Commander's words for wrong usage in one line. Its guess on a line of its own (`(Did you mean
 * --reason?)`) is left out where the word is not near what was given.
 */
export function usageWords(message: string): string {
  const [said = '', guess = ''] = message.replace(/^error: /, '').split('\n');
  const [, given = ''] = /'([^']*)'/.exec(said) ?? [];
  const [, guesses = ''] = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(guess) ?? [];
  const near = nearest(given, guesses.split(', '));
  return near ? `${said}; did you mean ${near}?` : said;
}

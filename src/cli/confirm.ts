import { createInterface } from 'node:readline/promises';
import { UsageError } from './usage-error.ts';

/** Goes on only after a typed `yes`. Throws a UsageError for any other answer, and where nobody can be asked. */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError(`${question} Nobody is here to be asked; add --yes`);
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await prompt.question(`${question} Type yes: `);
    if (answer.trim() !== 'yes') throw new UsageError('Nothing was done');
  } finally {
    prompt.close();
  }
}

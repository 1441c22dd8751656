import { expect, test } from 'vitest';
import { exitCodeOf, messageOf } from '../../src/cli/commands.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

test('a command says what went wrong first, though closing failed after it', async () => {
  const failing = (message: string) => ({
    async [Symbol.asyncDispose]() {
      throw new Error(message);
    },
  });
  const command = async () => {
    await using _first = failing('the pool is closed already');
    await using _second = failing('the queue is closed already');
    throw new UsageError('--last must be a number');
  };
  const thrown = await command().catch((error) => error);
  expect(messageOf(thrown)).toBe('keyturn: --last must be a number');
  expect(exitCodeOf(thrown)).toBe(2);
});

import { expect, test } from 'vitest';
import { closeAll } from '../src/close-all.ts';

test('one that cannot be closed does not keep the others open, and the first fault is thrown', async () => {
  const closed: string[] = [];
  const closers = [
    async () => {
      throw new Error('first');
    },
    async () => closed.push('second'),
    () => {
      throw new Error('third');
    },
    async () => closed.push('fourth'),
  ];
  await expect(closeAll(closers)).rejects.toThrow('first');
  expect(closed).toEqual(['second', 'fourth']);
});

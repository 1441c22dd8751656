import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { fromEach } from '../../../src/cli/options/from-each.ts';

test('what is read of each comes in their order, and never more are under way than may be', async () => {
  let underWay = 0;
  let most = 0;
  const read = async (turns: number) => {
    most = Math.max(most, ++underWay);
    for (let left = turns; left > 0; left -= 1) await turn();
    underWay -= 1;
    return turns * 2;
  };
  expect(await fromEach([5, 1, 3, 0, 2], read, { parallel: 2 })).toEqual([10, 2, 6, 0, 4]);
  expect(most).toBe(2);
});

import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readPlain } from '../../../src/secret-store/file/file-held.ts';

/** A file that does not change, and has more content than its size says: that is 0. */
const LONGER = '/proc/version';

test.skipIf(!existsSync(LONGER))('a file is read to its end, also where it is longer than its size', () => {
  const read = readPlain(LONGER, LONGER);
  expect(read?.found.size).toBe(0);
  expect(read?.content.toString('utf8')).toBe(readFileSync(LONGER, 'utf8'));
});

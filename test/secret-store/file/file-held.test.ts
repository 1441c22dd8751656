import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPlain } from '../../../src/secret-store/file/file-held.ts';

/** A file that does not change, and has more content than its size says: that is 0. */
const LONGER = '/proc/version';
/** One that has more than the limit. */
const MUCH_LONGER = '/proc/kallsyms';
const LIMIT = 1_048_576;

test.skipIf(!existsSync(LONGER))('a file is read to its end, also where it is longer than its size', () => {
  const read = readPlain(LONGER, LONGER);
  expect(read?.found.size).toBe(0);
  expect(read?.content.toString('utf8')).toBe(readFileSync(LONGER, 'utf8'));
});

describe('a file of more than 1 MiB is refused', () => {
  const refused = (path: string) => {
    let thrown: unknown;
    try {
      readPlain(path, path);
    } catch (error) {
      thrown = (error as { ofStore: (store: string) => { fact: object } }).ofStore('files').fact;
    }
    expect(thrown).toMatchObject({ code: 'path-too-large', params: { store: 'files', path, limit: LIMIT } });
  };

  test('by its size, however large, before it is read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keyturn-held-'));
    try {
      const path = join(folder, 'file');
      await writeFile(path, 'x');
      await truncate(path, LIMIT);
      expect(readPlain(path, path)?.content.length).toBe(LIMIT);
      await truncate(path, LIMIT + 1);
      refused(path);
      await truncate(path, 2 ** 40);
      refused(path);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.skipIf(!existsSync(MUCH_LONGER))('also where its size says less, as while it grows', () => {
    refused(MUCH_LONGER);
  });
});

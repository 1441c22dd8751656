import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { isTransient } from '../../src/rotation/failure.ts';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import { MAPPING, openScenario } from '../support/scenario.ts';

const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;
/** A folder of the kernel's, where nobody may make anything, root included. */
const KERNEL = '/sys/kernel';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-unwritable-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function mayMount(): boolean {
  if (!isRoot) return false;
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A script that stages a version, has `close` done, stages another, has `open` done, and stages that. Prints the codes. */
const script = (path: string, close: string, open: string) => `
  import { execFileSync } from 'node:child_process';
  import { chmodSync } from 'node:fs';
  import { randomUUID } from 'node:crypto';
  import { openFileStore } from ${JSON.stringify(resolve(import.meta.dirname, '../../dist/src/secret-store/file/file-store.js'))};
  const store = openFileStore({ name: 'files', path: ${JSON.stringify(path)} });
  const stage = () => store.stage(${JSON.stringify(MAPPING)}, randomUUID(), { username: 'u', password: 'p' }, { create: true })
    .then(() => 'staged', (error) => error.fact.code + ' ' + error.cause?.code);
  const said = [await stage()];
  ${close};
  said.push(await stage());
  ${open};
  said.push(await stage());
  console.log(said.join(', '));
`;

describe('a store folder that cannot be written now is tried again, like a full disk (G5)', () => {
  test.skipIf(!mayMount())('where it is read-only (as root, which may mount)', async () => {
    const path = join(folder, 'disk');
    await mkdir(path);
    const mount = (how: string) => `execFileSync('mount', ['-o', 'remount,${how}', ${JSON.stringify(path)}])`;
    const { stdout } = await promisify(execFile)('unshare', [
      '-m',
      'sh',
      '-c',
      'mount -t tmpfs -o mode=700 tmpfs "$1" && exec "$2" --input-type=module -e "$3"',
      'sh',
      path,
      process.execPath,
      script(path, mount('ro'), mount('rw')),
    ]);
    expect(stdout.trim()).toBe('staged, folder-unusable EROFS, staged');
  });

  test('where this user may not write in it', async () => {
    const path = join(folder, 'secrets');
    await mkdir(path);
    const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
    if (isRoot) for (const own of [folder, path]) await chown(own, NOBODY, NOBODY);
    const mode = (bits: string) => `chmodSync(${JSON.stringify(join(path, 'app'))}, ${bits})`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script(path, mode('0o500'), mode('0o700'))],
      user,
    );
    expect(stdout.trim()).toBe('staged, folder-unusable EACCES, staged');
  });

  test.skipIf(!existsSync(KERNEL))('by the rotation itself, which goes on when it can', async () => {
    await using scenario = await openScenario(inject('postgres'));
    const destination = scenario.destinations[0];
    const closed = openFileStore({ name: 'files', path: join(KERNEL, 'keyturn') });
    const stuck = scenario.with({ destinations: [{ ...destination, store: closed }] });
    const rotation = await scenario.request();
    const outcome = await stuck.run(rotation);
    expect(outcome).toMatchObject({ status: 'retrying', isNews: true, error: { step: 'stage' } });
    expect((await scenario.ledger.find(rotation.id))?.lastFault).toMatchObject({
      code: 'folder-unusable',
      params: { store: 'files', errno: expect.any(String), detail: expect.stringContaining(KERNEL) },
    });
    expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
  });

  test('but not where the path is no folder: that takes somebody who puts it right', async () => {
    const path = join(folder, 'file');
    await writeFile(path, '');
    const reading = openFileStore({ name: 'files', path }).read(MAPPING, 'current');
    const error = await reading.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      fact: { code: 'folder-invalid', params: { detail: expect.stringContaining(path) } },
    });
    expect(isTransient(error)).toBe(false);
  });
});

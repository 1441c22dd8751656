import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FactCode } from '../../src/facts/fact.ts';
import { Fault } from '../../src/facts/fault.ts';
import { tellError } from '../../src/messages/tell.ts';
import { isTransient } from '../../src/rotation/failure.ts';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';

const MAPPING = { username: { secret: 'app/username' }, password: { secret: 'app/password' } };
const FIELDS = { username: 'user', password: 'secret' };
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

let base: string;
let root: string;
let victim: string;
let store: SecretStore;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'keyturn-store-'));
  root = join(base, 'secrets');
  victim = join(base, 'victim');
  await mkdir(victim);
  await writeFile(join(victim, 'precious'), 'precious');
  await writeFile(join(victim, 'password'), 'not-ours');
  store = openFileStore({ name: 'files', path: root });
});
afterEach(() => rm(base, { recursive: true, force: true }));

const app = (name = '') => join(root, 'app', name);
const stage = (token: string) => store.stage(MAPPING, token, FIELDS, { create: true });

async function publish(): Promise<string> {
  const token = randomUUID();
  await stage(token);
  await store.promote(MAPPING, token);
  return token;
}

async function plant(name: string, target: string): Promise<void> {
  await rm(app(name), { recursive: true, force: true });
  await symlink(target, app(name));
}

const untouched = async () => expect((await readdir(victim)).sort()).toEqual(['password', 'precious']);

/** Everything below the store, with what it is: what a refusal must leave as it was. */
async function listing(): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.map((entry) => `${entry.parentPath}/${entry.name} ${entry.isSymbolicLink()}`).sort();
}

/** Expects the fault that names this path, of which nothing was touched, with what else it has to say. */
async function refused(
  attempt: Promise<unknown>,
  path: string,
  { code = expect.stringMatching(/^(folder|link|path)-/), params = {} }: Said = {},
): Promise<void> {
  const error = await attempt.then(
    () => undefined,
    (thrown) => thrown,
  );
  expect(error).toMatchObject({ fact: { code, params: { store: 'files', path, ...params } } });
  expect(isTransient(error)).toBe(false);
  const told = tellError(error) + JSON.stringify((error as Fault).fact);
  expect(told).not.toMatch(/not-ours|precious/);
}

interface Said {
  readonly code?: FactCode;
  readonly params?: object;
}

function exposure(path: string, mode: string, to: string, may: string) {
  return { code: 'folder-exposed', params: { store: 'files', path, mode, to, may } };
}

/** As an attacker names what is outside: behind the prefix of a version, plainly, or by an absolute path. */
const OUTSIDE = [
  ['behind the name of a version', '..version-x/../../../victim'],
  ['behind the name of a real version', undefined],
  ['by a relative path', '../../victim'],
  ['by an absolute path', '/victim'],
  ['as the folder itself', '.'],
  ['as the folder above', '..'],
] as const;

function outside(target: string | undefined, token: string): string {
  if (target === '/victim') return victim;
  return target ?? `..version-${token}/../../../victim`;
}

describe.each(OUTSIDE)('a link that names what is outside %s', (_how, target) => {
  test.each(['current', 'pending', 'previous'] as const)('is not read where %s should be', async (place) => {
    const token = await publish();
    const name = { current: '..data', pending: '..pending', previous: '..previous' }[place];
    await plant(name, outside(target, token));
    await refused(store.read(MAPPING, place), app(name), {
      code: 'link-foreign',
      params: { target: outside(target, token) },
    });
  });

  test('as ..previous deletes nothing outside the folder when the next version is promoted', async () => {
    const token = await publish();
    const next = randomUUID();
    await stage(next);
    await plant('..previous', outside(target, token));
    const before = await listing();
    await refused(store.promote(MAPPING, next), app('..previous'));
    await untouched();
    expect(await listing()).toEqual(before);
    expect(await readlink(app('..data'))).toBe(`..version-${token}`);
  });

  test('as ..data has nothing from outside copied into a version, and is not removed', async () => {
    const token = await publish();
    await plant('..data', outside(target, token));
    const before = await listing();
    await refused(stage(randomUUID()), app('..data'));
    await refused(store.rehearse(MAPPING, randomUUID(), FIELDS), app('..data'));
    await refused(store.promote(MAPPING, token), app('..data'));
    expect(await listing()).toEqual(before);
    await untouched();
  });

  test('as ..pending has nothing outside removed by a discard', async () => {
    const token = await publish();
    const next = randomUUID();
    await stage(next);
    await plant('..pending', outside(target, token));
    await refused(store.discard(MAPPING, next), app('..pending'));
    await untouched();
  });
});

describe('a version that is a link to a folder outside', () => {
  test('is not read, copied, promoted or deleted, though its name is right', async () => {
    const token = await publish();
    const planted = randomUUID();
    await plant(`..version-${planted}`, victim);
    await plant('..data', `..version-${planted}`);
    await refused(store.read(MAPPING, 'current'), app(`..version-${planted}`));
    await refused(stage(randomUUID()), app(`..version-${planted}`));
    await plant('..data', `..version-${token}`);
    await plant('..pending', `..version-${planted}`);
    await refused(store.read(MAPPING, 'pending'), app(`..version-${planted}`));
    await refused(store.promote(MAPPING, planted), app(`..version-${planted}`));
    await refused(store.discard(MAPPING, planted), app(`..version-${planted}`));
    await rm(app('..pending'));
    const next = randomUUID();
    await stage(next);
    await plant('..previous', `..version-${planted}`);
    await refused(store.promote(MAPPING, next), app(`..version-${planted}`));
    await untouched();
    expect(await readlink(app(`..version-${planted}`))).toBe(victim);
  });

  test('is not taken for a version that was staged', async () => {
    await publish();
    const token = randomUUID();
    await plant(`..version-${token}`, victim);
    await refused(stage(token), app(`..version-${token}`));
    await untouched();
  });
});

describe('a file that is a link to a file outside', () => {
  test('in a version is not read and not copied', async () => {
    const token = await publish();
    await plant(`..version-${token}/password`, join(victim, 'password'));
    const path = app(`..version-${token}/password`);
    await refused(store.read(MAPPING, 'current'), path, { code: 'path-foreign' });
    await refused(stage(randomUUID()), path, { code: 'path-foreign' });
    await untouched();
  });

  test('that the mapping does not name is not copied', async () => {
    const token = await publish();
    await plant(`..version-${token}/extra`, join(victim, 'precious'));
    const next = await publish();
    expect(await readdir(app(`..version-${next}`))).not.toContain('extra');
  });

  test('in the place of a published name is not read and not taken over', async () => {
    await publish();
    await plant('password', join(victim, 'password'));
    await refused(store.read(MAPPING, 'current'), app('password'), {
      code: 'path-foreign',
      params: { found: { kind: 'link', target: join(victim, 'password') } },
    });
    await refused(stage(randomUUID()), app('password'));
    await untouched();
  });

  test('and a pipe in the place of a file holds nobody up', async () => {
    const token = await publish();
    await rm(app(`..version-${token}/password`));
    await promisify(execFile)('mkfifo', [app(`..version-${token}/password`)]);
    const isPipe: Said = { code: 'path-foreign', params: { found: { kind: 'pipe' } } };
    await refused(store.read(MAPPING, 'current'), app(`..version-${token}/password`), isPipe);
    await rm(app('password'));
    await promisify(execFile)('mkfifo', [app('password')]);
    await refused(store.read(MAPPING, 'current'), app('password'), isPipe);
  });
});

describe('a plain file in the place of a published name', () => {
  test('is not read, copied or taken over where it is a hard link to a file elsewhere (G3)', async () => {
    await publish();
    const next = randomUUID();
    await stage(next);
    await rm(app('password'));
    await link(join(victim, 'password'), app('password'));
    const before = await listing();
    const isHardLink: Said = {
      code: 'path-foreign',
      params: { found: { kind: 'hard-link' }, expected: 'secret' },
    };
    for (const attempt of [
      () => store.read(MAPPING, 'current'),
      () => stage(randomUUID()),
      () => store.rehearse(MAPPING, randomUUID(), FIELDS),
      () => store.promote(MAPPING, next),
      () => store.remove(MAPPING),
    ])
      await refused(attempt(), app('password'), isHardLink);
    expect(await listing()).toEqual(before);
    await untouched();
  });

  test('holds nobody up, and takes no memory, however large it is', async () => {
    await publish();
    await rm(app('password'));
    await writeFile(app('password'), 'secret');
    await truncate(app('password'), 600_000_000);
    const isLarge: Said = { code: 'path-too-large', params: { limit: 1_048_576 } };
    await refused(store.read(MAPPING, 'current'), app('password'), isLarge);
    await refused(stage(randomUUID()), app('password'), isLarge);
  });

  test('is not read for ever while somebody replaces ..data all the time', async () => {
    await publish();
    await rm(app('password'));
    await writeFile(app('password'), 'x'.repeat(1_048_576));
    const swapper = execFile(process.execPath, [
      '-e',
      `const fs = require('fs'), { randomUUID } = require('crypto');
       process.chdir(process.argv[1]);
       for (;;) {
         fs.symlinkSync('..version-' + randomUUID(), '..swapped');
         fs.renameSync('..swapped', '..data');
       }`,
      app(),
    ]);
    const ended = new Promise((done) => swapper.once('exit', done));
    try {
      const codes = async () => {
        const error = await store.read(MAPPING, 'current').catch((thrown) => thrown);
        if (!(error instanceof Fault)) return undefined;
        expect(isTransient(error)).toBe(true);
        return error.fact;
      };
      const params = { store: 'files', path: join(root, 'app') };
      await expect.poll(codes).toMatchObject({ code: 'folder-contended', params });
    } finally {
      swapper.kill('SIGKILL');
      await ended;
    }
  });
});

test('a version that holds a folder is never deleted: keyturn did not make that', async () => {
  const token = await publish();
  await mkdir(app(`..version-${token}/kept`));
  await writeFile(app(`..version-${token}/kept/file`), 'kept');
  await publish();
  await publish();
  expect(await readFile(app(`..version-${token}/kept/file`), 'utf8')).toBe('kept');
});

test('a link that was planted as a draft is removed itself, and what it leads to stays', async () => {
  const token = randomUUID();
  await stage(token);
  await symlink(victim, app(`..draft-${token}-x`));
  await store.discard(MAPPING, token);
  await untouched();
  expect(await readdir(app())).toEqual([]);
});

describe('a folder in which another user could swap the links', () => {
  test.each(['the store', 'a folder in it'])('is refused where it is %s', async (which) => {
    const token = await publish();
    const open = which === 'the store' ? root : app();
    await chmod(open, 0o777);
    for (const attempt of [
      () => store.read(MAPPING, 'current'),
      () => stage(randomUUID()),
      () => store.promote(MAPPING, token),
      () => store.discard(MAPPING, randomUUID()),
      () => store.rehearse(MAPPING, randomUUID(), FIELDS),
    ])
      await refused(attempt(), open, { code: 'folder-open-to-all', params: { mode: '0777' } });
    await chmod(open, 0o700);
    expect((await store.read(MAPPING, 'current'))?.token).toBe(token);
  });

  test('is refused where it is a link below the store', async () => {
    await publish();
    await rm(app(), { recursive: true });
    await symlink(victim, app());
    await refused(store.read(MAPPING, 'current'), app(), {
      code: 'folder-replaced',
      params: { found: { kind: 'link', target: victim } },
    });
    await refused(stage(randomUUID()), app());
    await untouched();
  });

  test('is a warning where it is a group that may write, or where others may look in', async () => {
    await publish();
    expect(await store.rightsFacts?.(MAPPING)).toEqual([]);
    await chmod(root, 0o755);
    await chmod(app(), 0o770);
    expect(await store.rightsFacts?.(MAPPING)).toEqual([
      exposure(root, '0755', 'others', 'read'),
      exposure(app(), '0770', 'group', 'write'),
    ]);
    expect((await store.read(MAPPING, 'current'))?.fields).toEqual(FIELDS);
  });

  test('may be the link that the configuration names, which leads to a folder of ours', async () => {
    await mkdir(join(base, 'real'), { mode: 0o700 });
    await symlink(join(base, 'real'), root);
    const token = await publish();
    expect((await store.read(MAPPING, 'current'))?.token).toBe(token);
    await chmod(join(base, 'real'), 0o777);
    await refused(store.read(MAPPING, 'current'), root, {
      code: 'folder-open-to-all',
      params: { mode: '0777' },
    });
  });

  test.skipIf(!isRoot)('is refused where it belongs to another user than root (as root)', async () => {
    const token = await publish();
    await chown(app(), NOBODY, NOBODY);
    const isOwned: Said = { code: 'folder-owned-by-other', params: { uid: NOBODY, own: 0 } };
    await refused(store.read(MAPPING, 'current'), app(), isOwned);
    await chown(app(), 0, 0);
    await chown(app(`..version-${token}`), NOBODY, NOBODY);
    await refused(store.read(MAPPING, 'current'), app(`..version-${token}`), isOwned);
  });
});

test('a name that is swapped all the while never has anything outside read, copied or deleted', async () => {
  await publish();
  // The swapper runs beside, in a process of its own, as a member of the folder's group could.
  const swapper = execFile(process.execPath, [
    '-e',
    `const fs = require('fs'), path = require('path');
     const [app, victim] = process.argv.slice(1);
     for (;;) for (const name of fs.readdirSync(app)) {
       if (!/^\\.\\.(version|pruned)-/.test(name)) continue;
       const at = path.join(app, name);
       try { fs.renameSync(at, at + '.aside'); fs.symlinkSync(victim, at); } catch {}
       try { fs.unlinkSync(at); } catch {}
       try { fs.renameSync(at + '.aside', at); } catch {}
     }`,
    app(),
    victim,
  ]);
  const ended = new Promise((done) => swapper.once('exit', done));
  try {
    for (let round = 0; round < 60; round += 1) {
      await publish().catch((error) => expect(error).toBeInstanceOf(Fault));
      const seen = await store.read(MAPPING, 'current').catch(() => undefined);
      expect(seen?.fields.password ?? 'secret').toBe('secret');
    }
  } finally {
    swapper.kill('SIGKILL');
    await ended;
  }
  await untouched();
  expect((await lstat(dirname(app()))).isDirectory()).toBe(true);
});

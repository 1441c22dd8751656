import { randomUUID } from 'node:crypto';
import { watch } from 'node:fs';
import {
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  realpath,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Mapping } from '../../../src/config/policy.ts';
import { fault } from '../../../src/facts/fault.ts';
import { openFileStore } from '../../../src/secret-store/file/file-store.ts';
import type { SecretStore } from '../../../src/secret-store/secret-store.ts';
import { describeSecretStore } from '../../contract/secret-store.ts';

let root: string;
let store: SecretStore;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), 'keyturn-store-')), 'secrets');
  store = openFileStore({ name: 'files', path: root });
});
afterEach(() => rm(dirname(root), { recursive: true, force: true }));

describeSecretStore('the file store', async () => ({
  store,
  name: (suffix) => `app/${suffix}`,
  apart: (suffix) => `apart-${suffix}/${suffix}`,
  async make(secret, content) {
    await mkdir(dirname(join(root, secret)), { recursive: true });
    await writeFile(join(root, secret), content);
  },
  current: (secret) => readFile(join(root, secret), 'utf8').catch(() => undefined),
  close: async () => {},
}));

const MAPPING = { username: { secret: 'app/username' }, password: { secret: 'app/password' } };

async function publish(number: number): Promise<string> {
  const token = randomUUID();
  await store.stage(
    MAPPING,
    token,
    { username: `user-${number}`, password: `password-${number}` },
    { create: true },
  );
  await store.promote(MAPPING, token);
  return token;
}

test('its layout is that of a mounted Kubernetes secret, closed to other users whatever the umask', async () => {
  const before = process.umask(0o777);
  const token = await publish(1).finally(() => process.umask(before));
  const app = join(root, 'app');
  expect(await readlink(join(app, 'username'))).toBe('..data/username');
  expect(await readlink(join(app, '..data'))).toBe(`..version-${token}`);
  expect((await readdir(app)).sort()).toEqual(['..data', `..version-${token}`, 'password', 'username']);
  const modes = await Promise.all(
    [root, app, join(app, '..data/'), join(app, 'password')].map(
      async (path) => (await stat(path)).mode & 0o777,
    ),
  );
  expect(modes).toEqual([0o700, 0o700, 0o700, 0o600]);
});

test('only the current and the previous version are kept', async () => {
  const tokens = [await publish(1), await publish(2), await publish(3)];
  const kept = (await readdir(join(root, 'app'))).filter((name) => name.startsWith('..version-'));
  expect(kept.sort()).toEqual(
    tokens
      .slice(1)
      .map((token) => `..version-${token}`)
      .sort(),
  );
});

test('a reader that resolves ..data once never sees two versions mixed, over 200 promotions (G1)', async () => {
  await publish(0);
  let going = true;
  let reads = 0;
  const reader = (async () => {
    while (going) {
      const version = await realpath(join(root, 'app', '..data'));
      const username = await readFile(join(version, 'username'), 'utf8');
      const password = await readFile(join(version, 'password'), 'utf8');
      expect(password.replace('password-', '')).toBe(username.replace('user-', ''));
      reads += 1;
    }
  })();
  for (let number = 1; number <= 200; number += 1) await publish(number);
  going = false;
  await reader;
  expect(reads).toBeGreaterThan(0);
});

test('plain files put there by hand are taken over without an instant in which one is gone or new alone (G1)', async () => {
  await mkdir(join(root, 'app'), { recursive: true });
  await writeFile(join(root, 'app', 'username'), 'user-0\n');
  await writeFile(join(root, 'app', 'password'), 'password-0\n');
  expect((await store.read(MAPPING, 'current'))?.fields).toEqual({
    username: 'user-0',
    password: 'password-0',
  });
  let going = true;
  const seen = new Set<string>();
  const reader = (async () => {
    while (going) {
      const names = ['username', 'password'].map((name) => readFile(join(root, 'app', name), 'utf8'));
      for (const text of await Promise.all(names)) seen.add(text.trim());
    }
  })();
  await publish(1);
  going = false;
  await reader;
  expect([...seen].every((text) => /^(user|password)-[01]$/.test(text))).toBe(true);
  expect((await lstat(join(root, 'app', 'username'))).isSymbolicLink()).toBe(true);
  expect((await store.read(MAPPING, 'previous'))?.fields).toEqual({
    username: 'user-0',
    password: 'password-0',
  });
});

test('what a crash left half written is never read, and goes with the version', async () => {
  const token = randomUUID();
  await mkdir(join(root, 'app', `..draft-${token}-x`), { recursive: true });
  await writeFile(join(root, 'app', `..draft-${token}-x`, 'username'), 'half');
  expect(await store.read(MAPPING, 'pending')).toBeUndefined();
  await store.stage(MAPPING, token, { username: 'u', password: 'p' }, { create: true });
  expect((await store.read(MAPPING, 'pending'))?.fields).toEqual({ username: 'u', password: 'p' });
  await store.discard(MAPPING, token);
  expect(await readdir(join(root, 'app'))).toEqual([]);
});

test('a version is pending from the instant it is there, so a kill leaves no password that nobody can read (G4)', async () => {
  const app = join(root, 'app');
  await mkdir(app, { recursive: true });
  const token = randomUUID();
  const changed: string[] = [];
  const watcher = watch(app, (_event, name) => changed.push(String(name)));
  await store.stage(MAPPING, token, { username: 'u', password: 'p' }, { create: true });
  const version = `..version-${token}`;
  await vi.waitFor(() => expect(changed).toContain(version));
  watcher.close();
  expect(changed.filter((name) => name === '..pending' || name === version)[0]).toBe('..pending');
});

test('a link that a kill left without its version is no pending version, and staging completes it (G4)', async () => {
  const token = randomUUID();
  await mkdir(join(root, 'app'), { recursive: true });
  await symlink(`..version-${token}`, join(root, 'app', '..pending'));
  expect(await store.read(MAPPING, 'pending')).toBeUndefined();
  const fields = { username: 'u', password: 'p' };
  await store.stage(MAPPING, token, fields, { create: true });
  expect(await store.read(MAPPING, 'pending')).toEqual({ token, fields });
});

test('two processes that promote the same version at once both succeed', async () => {
  for (let round = 0; round < 20; round += 1) {
    const token = randomUUID();
    const fields = { username: 'u', password: `p${round}` };
    const other = openFileStore({ name: 'files', path: root });
    await Promise.all([store, other].map((one) => one.stage(MAPPING, token, fields, { create: true })));
    await Promise.all([store, other].map((one) => one.promote(MAPPING, token)));
    expect(await store.read(MAPPING, 'current')).toEqual({ token, fields });
  }
});

test('a token that is no UUID gets nowhere near a path', async () => {
  const staging = store.stage(MAPPING, '../../etc', { username: 'u', password: 'p' }, { create: true });
  await expect(staging).rejects.toMatchObject({
    fact: { code: 'version-token-invalid', params: { token: '../../etc' } },
  });
});

test('a folder that is a file is told, with what to do', async () => {
  await writeFile(root, '');
  const staging = store.stage(MAPPING, randomUUID(), { username: 'u', password: 'p' }, { create: true });
  await expect(staging).rejects.toMatchObject({
    fact: {
      code: 'folder-invalid',
      params: { store: 'files', detail: expect.stringContaining('ENOTDIR') },
    },
  });
});

describe('what someone puts into a folder by hand', () => {
  const app = (name: string) => join(root, 'app', name);
  /** As an editor or \`install\` does it: the new file takes the place of the link. */
  async function replace(name: string, content: string): Promise<void> {
    await rm(app(name), { force: true });
    await writeFile(app(name), content);
  }

  test('in the place of a link is what is read as current, as consumers see it (G6)', async () => {
    await publish(1);
    await replace('password', 'typed\n');
    expect(await store.read(MAPPING, 'current')).toEqual({
      token: undefined,
      fields: { username: 'user-1', password: 'typed' },
    });
    await rm(app('username'));
    expect(await store.read(MAPPING, 'current')).toEqual({
      token: undefined,
      fields: { password: 'typed' },
    });
  });

  test.each(['current', 'pending'] as const)(
    'in the place of a link gives way to the promotion of a %s version',
    async (stage) => {
      const token = await publish(1);
      const next = randomUUID();
      if (stage === 'pending')
        await store.stage(MAPPING, next, { username: 'user-2', password: 'password-2' }, { create: false });
      await replace('password', 'typed\n');
      await rm(app('username'));
      const promoted = stage === 'current' ? token : next;
      await store.promote(MAPPING, promoted);
      const number = stage === 'current' ? 1 : 2;
      expect(await store.read(MAPPING, 'current')).toEqual({
        token: promoted,
        fields: { username: `user-${number}`, password: `password-${number}` },
      });
      for (const name of ['username', 'password']) expect(await readlink(app(name))).toBe(`..data/${name}`);
      expect((await store.read(MAPPING, 'previous'))?.fields.password).toBe('typed');
      expect(await store.read(MAPPING, 'pending')).toBeUndefined();
    },
  );

  test('does not outlast a name that was lost while its version is current', async () => {
    const token = await publish(1);
    await rm(app('username'));
    await store.promote(MAPPING, token);
    expect(await readFile(app('username'), 'utf8')).toBe('user-1');
    expect(await store.read(MAPPING, 'previous')).toBeUndefined();
  });

  describe.each([
    ['touched', ''],
    ['with nothing but a line end', '\n'],
  ])('an empty file, %s,', (_how, empty) => {
    const JSON_MAPPING = {
      username: { secret: 'app/login.json', key: 'username' },
      password: { secret: 'app/login.json', key: 'password' },
    };
    beforeEach(() => mkdir(app(''), { recursive: true }));

    test('has no value, and both make an empty secret that a first version fills without create', async () => {
      for (const name of ['username', 'password']) await writeFile(app(name), empty);
      expect(await store.read(MAPPING, 'current')).toBeUndefined();
      const token = randomUUID();
      await store.stage(MAPPING, token, { username: 'u', password: 'p' }, { create: false });
      expect(await store.read(MAPPING, 'current')).toBeUndefined();
      await store.promote(MAPPING, token);
      expect(await store.read(MAPPING, 'current')).toEqual({
        token,
        fields: { username: 'u', password: 'p' },
      });
      expect(await store.read(MAPPING, 'previous')).toBeUndefined();
    });

    test('beside one that is not leaves what that one has', async () => {
      await writeFile(app('username'), 'user-0\n');
      await writeFile(app('password'), empty);
      expect((await store.read(MAPPING, 'current'))?.fields).toEqual({ username: 'user-0' });
    });

    test('in the place of a published one has no value', async () => {
      await publish(1);
      await replace('password', empty);
      expect((await store.read(MAPPING, 'current'))?.fields).toEqual({ username: 'user-1' });
      await replace('username', empty);
      expect(await store.read(MAPPING, 'current')).toBeUndefined();
    });

    test('is a JSON object without keys', async () => {
      await writeFile(app('login.json'), empty);
      expect(await store.read(JSON_MAPPING, 'current')).toBeUndefined();
      const token = randomUUID();
      await store.stage(JSON_MAPPING, token, { username: 'u', password: 'p' }, { create: false });
      await store.promote(JSON_MAPPING, token);
      expect(JSON.parse(await readFile(app('login.json'), 'utf8'))).toEqual({ username: 'u', password: 'p' });
    });
  });

  test('is no part of a name when it is a line end, also after it was taken over', async () => {
    await mkdir(app(''), { recursive: true });
    await writeFile(app('username'), 'user-0\r\n');
    await writeFile(app('password'), 'password-0\n');
    await publish(1);
    const by = await store.read(MAPPING, 'previous');
    await store.promote(MAPPING, String(by?.token), { back: true });
    expect(await store.read(MAPPING, 'current')).toEqual({
      token: by?.token,
      fields: { username: 'user-0', password: 'password-0' },
    });
  });
});

test('files that are not mapped any more stay, byte for byte, in every version that follows', async () => {
  const host = { host: { secret: 'app/host' } };
  const token = randomUUID();
  await store.stage(
    { ...MAPPING, ...host },
    token,
    { username: 'u', password: 'p', host: 'h' },
    {
      create: true,
    },
  );
  await writeFile(join(root, 'app', `..version-${token}`, 'ca.der'), Buffer.from([0xff, 0x00, 0x0a]));
  await store.promote({ ...MAPPING, ...host }, token);
  await publish(1);
  await publish(2);
  expect(await readFile(join(root, 'app', 'host'), 'utf8')).toBe('h');
  expect(await readFile(join(root, 'app', '..data', 'ca.der'))).toEqual(Buffer.from([0xff, 0x00, 0x0a]));
  expect((await stat(join(root, 'app', '..data', 'ca.der'))).mode & 0o777).toBe(0o600);
});

describe('a folder that Kubernetes laid out', () => {
  const OTHER = '..2024_01_01_00_00_00.123456789';
  beforeEach(async () => {
    const app = join(root, 'app');
    await mkdir(join(app, OTHER), { recursive: true });
    await symlink(OTHER, join(app, '..data'));
    for (const [name, content] of [
      ['username', 'user-0'],
      ['password', 'password-0'],
      ['host', 'h'],
    ] as const) {
      await writeFile(join(app, OTHER, name), content);
      await symlink(`..data/${name}`, join(app, name));
    }
  });
  const old = { username: 'user-0', password: 'password-0' };

  test('is read as published, by nobody of ours', async () => {
    expect(await store.read(MAPPING, 'current')).toEqual({ token: undefined, fields: old });
    expect(await store.read(MAPPING, 'pending')).toBeUndefined();
  });

  test('is taken over by a promotion, keeps its other files, and can be gone back to', async () => {
    const token = await publish(1);
    expect((await store.read(MAPPING, 'current'))?.token).toBe(token);
    expect(await readFile(join(root, 'app', 'host'), 'utf8')).toBe('h');
    const before = await store.read(MAPPING, 'previous');
    expect(before?.fields).toEqual(old);
    await store.promote(MAPPING, String(before?.token), { back: true });
    expect((await store.read(MAPPING, 'current'))?.fields).toEqual(old);
  });
});

test('the folder of the password is staged first, and no other when that fails (G4)', async () => {
  const mapping = { username: { secret: 'one/username' }, password: { secret: 'two/password' } };
  const token = randomUUID();
  await mkdir(join(root, 'one', 'username'), { recursive: true });
  const staging = store.stage(mapping, token, { username: 'u', password: 'p' }, { create: true });
  await expect(staging).rejects.toMatchObject({
    fact: { code: 'path-foreign', params: { found: { kind: 'folder' } } },
  });
  expect((await store.read({ password: mapping.password }, 'pending'))?.fields).toEqual({ password: 'p' });
  expect((await readdir(join(root, 'one'))).filter((name) => name.startsWith('..'))).toEqual([]);
});

test('a version whose files are not all there is not promoted, and no link moves (G1)', async () => {
  const first = await publish(1);
  const token = randomUUID();
  await store.stage({ password: MAPPING.password }, token, { password: 'p' }, { create: true });
  await rm(join(root, 'app', `..version-${token}`, 'username'));
  await expect(store.promote(MAPPING, token)).rejects.toMatchObject({
    fact: { code: 'version-not-promotable', params: { store: 'files', token } },
  });
  expect((await store.read(MAPPING, 'current'))?.token).toBe(first);
});

describe('a promotion that this process may no longer make', () => {
  const app = (name = '') => join(root, 'app', name);
  const drafts = async (folder = app()) =>
    (await readdir(folder)).filter((name) => name.startsWith('..draft'));
  const lost = () => Promise.reject(fault('lock-lost', {}));
  const isLost = { fact: { code: 'lock-lost' } };

  async function staged(mapping: Mapping): Promise<string> {
    const token = randomUUID();
    await store.stage(mapping, token, { username: 'user', password: 'password' }, { create: true });
    return token;
  }

  test('moves no link and leaves no draft, and the next one works (G1)', async () => {
    const first = await publish(1);
    const token = await staged(MAPPING);
    const seen: unknown[] = [];
    const confirm = async () => {
      seen.push(await readlink(app('..data')), (await drafts()).length);
      await lost();
    };
    await expect(store.promote(MAPPING, token, { confirm })).rejects.toMatchObject(isLost);
    // It was asked when all that was left to do was the rename.
    expect(seen).toEqual([`..version-${first}`, 1]);
    expect(await readlink(app('..data'))).toBe(`..version-${first}`);
    expect(await drafts()).toEqual([]);
    expect((await store.read(MAPPING, 'current'))?.token).toBe(first);
    await store.promote(MAPPING, token, { confirm: async () => {} });
    expect((await store.read(MAPPING, 'current'))?.token).toBe(token);
    expect((await store.read(MAPPING, 'previous'))?.token).toBe(first);
  });

  test('takes nothing over that somebody put there by hand (G1)', async () => {
    await mkdir(app(), { recursive: true });
    for (const name of ['username', 'password']) await writeFile(app(name), 'by-hand');
    const token = await staged(MAPPING);
    await expect(store.promote(MAPPING, token, { confirm: lost })).rejects.toMatchObject(isLost);
    expect(await drafts()).toEqual([]);
    expect((await readdir(app())).sort()).toEqual([
      '..pending',
      `..version-${token}`,
      'password',
      'username',
    ]);
    for (const name of ['username', 'password']) expect((await lstat(app(name))).isFile()).toBe(true);
    let asked = 0;
    const confirm = async () => {
      asked += 1;
    };
    await store.promote(MAPPING, token, { confirm });
    // What is taken over becomes current first.
    expect(asked).toBe(2);
    expect((await store.read(MAPPING, 'current'))?.token).toBe(token);
  });

  test('is asked about for each folder of the mapping', async () => {
    const mapping = { username: { secret: 'one/username' }, password: { secret: 'two/password' } };
    const before = await staged(mapping);
    await store.promote(mapping, before);
    const token = await staged(mapping);
    let asked = 0;
    const confirm = async () => {
      asked += 1;
      if (asked === 2) await lost();
    };
    await expect(store.promote(mapping, token, { confirm })).rejects.toMatchObject(isLost);
    const links = ['two', 'one'].map((folder) => readlink(join(root, folder, '..data')));
    expect(await Promise.all(links)).toEqual([`..version-${token}`, `..version-${before}`]);
    expect(await drafts(join(root, 'one'))).toEqual([]);
    await store.promote(mapping, token, { confirm });
    // Not again where it is current by now.
    expect(asked).toBe(3);
    expect((await store.read(mapping, 'current'))?.token).toBe(token);
  });
});

test('nothing that only a crash could need is left once a rotation is over', async () => {
  await publish(1);
  await publish(2);
  const left = (await readdir(join(root, 'app'))).filter((name) => name.startsWith('..draft'));
  expect(left).toEqual([]);
});

describe('what a kill leaves while versions are pruned', () => {
  const OLD = new Date(Date.now() - 2 * 3_600_000);
  const app = (name = '') => join(root, 'app', name);
  const hidden = async () =>
    (await readdir(app())).filter((name) => /^\.\.(version|draft|pruned)/.test(name));
  const make = async (name: string, files: readonly string[], time?: Date) => {
    await mkdir(app(name), { recursive: true });
    for (const file of files) await writeFile(app(join(name, file)), 'old');
    if (time) await utimes(app(name), time, time);
  };

  test.each([
    ['an empty version', () => make(`..version-${randomUUID()}`, [])],
    ['a version that is half removed', () => make(`..pruned-${randomUUID()}-x`, ['username'])],
    ['an empty one that is half removed', () => make(`..pruned-${randomUUID()}-x`, [])],
    ['a whole version at no stage', () => make(`..version-${randomUUID()}`, ['username'], OLD)],
    ['a version that is half made', () => make(`..draft-${randomUUID()}-x`, ['username'], OLD)],
  ])('is gone after the next promotion: %s', async (_what, leave) => {
    await publish(1);
    await leave();
    const left = [await publish(2), await publish(3)].map((token) => `..version-${token}`);
    expect((await hidden()).sort()).toEqual(left.sort());
  });

  test('stays while it may be what another process is about to stage', async () => {
    await publish(1);
    const staged = randomUUID();
    await make(`..version-${staged}`, ['username', 'password']);
    await make(`..draft-${staged}-x`, ['username']);
    await publish(2);
    expect(await hidden()).toEqual(expect.arrayContaining([`..version-${staged}`, `..draft-${staged}-x`]));
  });

  test('two processes that promote and prune at once leave the current and the previous version', async () => {
    await publish(0);
    const other = openFileStore({ name: 'files', path: root });
    for (let round = 1; round <= 20; round += 1) {
      await make(`..pruned-${randomUUID()}-x`, ['username', 'password']);
      const token = randomUUID();
      const fields = { username: `user-${round}`, password: `password-${round}` };
      await store.stage(MAPPING, token, fields, { create: true });
      await Promise.all([store, other].map((one) => one.promote(MAPPING, token)));
      expect(await store.read(MAPPING, 'current')).toEqual({ token, fields });
    }
    expect(await hidden()).toHaveLength(2);
  });
});

test('remove leaves what others made: a file put there by hand, and a version with files that nobody mapped', async () => {
  await publish(1);
  const folder = join(root, 'app');
  await writeFile(join(folder, 'notes.txt'), 'ours');
  const version = await realpath(join(folder, '..data'));
  await writeFile(join(version, 'ca.crt'), 'certificate');
  await expect(store.remove(MAPPING)).rejects.toMatchObject({
    fact: { code: 'secret-shared', params: { secret: folder, keys: ['ca.crt'] } },
  });
  expect((await store.read(MAPPING, 'current'))?.fields).toMatchObject({ username: 'user-1' });
  await rm(join(version, 'ca.crt'));
  await store.remove(MAPPING);
  expect(await readdir(folder)).toEqual(['notes.txt']);
});

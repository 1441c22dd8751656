import { randomUUID } from 'node:crypto';
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  mkdtemp,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFileStore } from '../../../src/secret-store/file/file-store.ts';
import type { SecretStore } from '../../../src/secret-store/secret-store.ts';
import { GROUP as FREE, isRoot, KEYTURN_USER, runAs } from '../../support/other-user.ts';

/** Root may give files to any group; anybody else to one of their own. */
const GROUP = isRoot ? FREE : (process.getegid?.() ?? 0);
const MAPPING = { username: { secret: 'app/username' }, password: { secret: 'app/password' } };
const NAMES = ['username', 'password'];

let base: string;
let root: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'keyturn-rights-'));
  root = join(base, 'secrets');
});
afterEach(() => rm(base, { recursive: true, force: true }));

const app = (name = '') => join(root, 'app', name);
const open = (settings: { group?: string; mode?: number } = { group: String(GROUP) }) =>
  openFileStore({ name: 'files', path: root, ...settings });

async function stage(store: SecretStore): Promise<string> {
  const token = randomUUID();
  await store.stage(MAPPING, token, { username: 'user', password: 'secret' }, { create: true });
  return token;
}

async function publish(store: SecretStore): Promise<string> {
  const token = await stage(store);
  await store.promote(MAPPING, token);
  return token;
}

async function rightsOf(...paths: string[]): Promise<string[]> {
  return Promise.all(
    paths.map(async (path) => {
      const { mode, gid } = await stat(path);
      return `${(mode & 0o777).toString(8)} ${gid === GROUP ? 'group' : 'other'}`;
    }),
  );
}

const published = () => rightsOf(root, app(), app('..data/'), ...NAMES.map(app));
const OPEN = ['750 group', '750 group', '750 group', '640 group', '640 group'];

describe('with a group, a store', () => {
  test.each([0o000, 0o022, 0o777])(
    'gives it what it makes, and to nobody else, whatever the umask (%o)',
    async (umask) => {
      const before = process.umask(umask);
      await publish(open()).finally(() => process.umask(before));
      expect(await published()).toEqual(OPEN);
    },
  );

  test('keeps a version closed until it is current (G3)', async () => {
    const store = open();
    await publish(store);
    const token = await stage(store);
    const version = app(`..version-${token}`);
    expect((await stat(version)).mode & 0o777).toBe(0o700);
    await store.promote(MAPPING, token);
    expect(await rightsOf(version)).toEqual(['750 group']);
  });

  test.each([
    [0o440, ['750', '440']],
    [0o640, ['750', '640']],
  ])('gives files the mode %o, and folders one that lets the same users in', async (mode, expected) => {
    const store = open({ group: String(GROUP), mode });
    await publish(store);
    await publish(store);
    await publish(store);
    const [folder, file] = await rightsOf(app('..data/'), app('password'));
    expect([folder, file]).toEqual(expected.map((each) => `${each} group`));
  });

  test.skipIf(process.platform !== 'linux')('may have it by its name', async () => {
    const groups = await readFile('/etc/group', 'utf8');
    const name = groups.split('\n').find((line) => line.split(':')[2] === String(process.getegid?.()));
    const group = String(name?.split(':')[0]);
    await publish(open({ group }));
    expect((await stat(app('password'))).gid).toBe(process.getegid?.());
    expect((await stat(app('password'))).mode & 0o777).toBe(0o640);
  });

  test('has it read the version before too, also one from a time without a group, when that is published again', async () => {
    const first = await publish(open({}));
    const store = open();
    await publish(store);
    expect(await published()).toEqual(OPEN);
    await store.promote(MAPPING, first, { back: true });
    expect(await published()).toEqual(OPEN);
  });

  test('gives it what somebody else put there, once that is taken over', async () => {
    await mkdir(app(), { recursive: true, mode: 0o700 });
    for (const name of NAMES) await writeFile(app(name), 'by-hand', { mode: 0o600 });
    const store = open();
    await publish(store);
    expect(await published()).toEqual(OPEN);
    const before = await store.read(MAPPING, 'previous');
    await store.promote(MAPPING, String(before?.token), { back: true });
    expect(await published()).toEqual(OPEN);
    expect(await readFile(app('password'), 'utf8')).toBe('by-hand');
  });

  test('puts right what somebody closed, when the same version is promoted again', async () => {
    const store = open();
    const token = await publish(store);
    await chmod(app('..data/'), 0o700);
    await chmod(app('password'), 0o600);
    await store.promote(MAPPING, token);
    expect(await published()).toEqual(OPEN);
  });

  test('leaves folders that it did not make, and says what keeps the group out', async () => {
    await mkdir(root, { mode: 0o711 });
    await mkdir(app(), { mode: 0o700 });
    await chmod(root, 0o710);
    const store = open();
    await publish(store);
    expect((await stat(root)).mode & 0o777).toBe(0o710);
    expect(await rightsOf(app())).toEqual(['750 group']);
    if (!isRoot) return;
    expect(await store.rightsFacts?.(MAPPING)).toContainEqual(
      expect.objectContaining({
        code: 'folder-closed-to-group',
        params: expect.objectContaining({ path: root }),
      }),
    );
  });

  test('changes no file that is a hard link to one elsewhere', async () => {
    const store = open({});
    const token = await publish(store);
    const precious = join(base, 'precious');
    await writeFile(precious, 'precious', { mode: 0o600 });
    await rm(app('..data/password'));
    await link(precious, app('..data/password'));
    await open().promote(MAPPING, token);
    expect((await stat(precious)).mode & 0o777).toBe(0o600);
  });

  test('opens no folder that a link in its place leads to', async () => {
    const elsewhere = join(base, 'elsewhere');
    await mkdir(elsewhere, { mode: 0o700 });
    await symlink(elsewhere, root);
    await publish(open());
    expect((await lstat(elsewhere)).mode & 0o777).toBe(0o700);
  });
});

test('without a group or a mode nobody but the user of keyturn may read, as ever', async () => {
  await publish(open({}));
  const modes = (await published()).map((rights) => rights.split(' ')[0]);
  expect(modes).toEqual(['700', '700', '700', '600', '600']);
});

describe('a group that cannot be given', () => {
  test('is named where it does not exist, before anything is made', async () => {
    const store = open({ group: 'no-such-group' });
    const unknown = { fact: { code: 'group-unknown', params: { store: 'files', group: 'no-such-group' } } };
    const options = { create: true, current: {} };
    for (const attempt of [
      () => stage(store),
      () => store.promote(MAPPING, randomUUID()),
      () => store.obstacles(MAPPING, options),
    ])
      await expect(attempt()).rejects.toMatchObject(unknown);
    await expect(lstat(root)).rejects.toThrow('ENOENT');
    expect(await store.read(MAPPING, 'current')).toBeUndefined();
  });

  test.skipIf(!isRoot)('is an obstacle where keyturn is not a member of it (as root)', async () => {
    await chown(base, KEYTURN_USER, KEYTURN_USER);
    const said = async (groups: readonly number[]) => {
      await using running = runAs<{ obstacles: object[]; staged: string }>(
        { uid: KEYTURN_USER, gid: KEYTURN_USER, groups },
        `const { openFileStore } = await import(${JSON.stringify(resolve(import.meta.dirname, '../../../dist/src/secret-store/file/file-store.js'))});
         const store = openFileStore({ name: 'files', path: ${JSON.stringify(root)}, group: '${GROUP}' });
         const mapping = ${JSON.stringify(MAPPING)};
         const obstacles = await store.obstacles(mapping, { create: true, current: {} });
         const staged = await store.stage(mapping, '${randomUUID()}', { username: 'u', password: 'p' }, { create: true })
           .then(() => 'staged', (error) => error.fact.code);
         say({ obstacles, staged }); process.exit();`,
      );
      return await running.until(() => true);
    };
    const params = { store: 'files', group: String(GROUP), gid: GROUP, uid: KEYTURN_USER };
    expect(await said([])).toEqual({
      obstacles: [{ code: 'group-not-joined', params }],
      staged: 'group-not-joined',
    });
    expect(await said([GROUP])).toEqual({ obstacles: [], staged: 'staged' });
  });
});

describe('what keeps the group out is told:', () => {
  const differs = (path: string, mode: string, wanted: string) => ({
    code: 'path-rights-differ',
    params: expect.objectContaining({ store: 'files', path, mode, wanted, group: String(GROUP) }),
  });
  const closed = (path: string, mode: string) => ({
    code: 'folder-closed-to-group',
    params: expect.objectContaining({ store: 'files', path, mode, group: String(GROUP) }),
  });
  beforeEach(() => chmod(base, 0o755));

  test('nothing where all is as configured', async () => {
    const store = open();
    expect(await store.rightsFacts?.(MAPPING)).toEqual([]);
    await publish(store);
    expect(await store.rightsFacts?.(MAPPING)).toEqual([]);
  });

  test('a folder above the store', async () => {
    await publish(open());
    await chmod(base, 0o700);
    expect(await open().rightsFacts?.(MAPPING)).toEqual([closed(base, '0700')]);
  });

  test('a folder of the store, and a version from a time without a group', async () => {
    await publish(open({}));
    const [facts, version] = [await open().rightsFacts?.(MAPPING), await realVersion()];
    expect(facts).toEqual([closed(root, '0700'), closed(app(), '0700'), differs(version, '0700', '0750')]);
  });

  test('a file that somebody closed, or opened to everybody', async () => {
    await publish(open());
    for (const mode of [0o600, 0o644]) {
      await chmod(app('password'), mode);
      const path = join(await realVersion(), 'password');
      expect(await open().rightsFacts?.(MAPPING)).toEqual([differs(path, `0${mode.toString(8)}`, '0640')]);
    }
  });

  test('a file that somebody put in the place of a published one', async () => {
    await publish(open());
    await rm(app('password'));
    await writeFile(app('password'), 'typed', { mode: 0o600 });
    expect(await open().rightsFacts?.(MAPPING)).toEqual([differs(app('password'), '0600', '0640')]);
  });

  test.skipIf(!isRoot)('another group that may look in (as root)', async () => {
    await publish(open());
    await chown(app(), 0, GROUP + 1);
    expect(await open().rightsFacts?.(MAPPING)).toEqual([
      {
        code: 'folder-exposed',
        params: { store: 'files', path: app(), mode: '0750', to: 'group', may: 'read' },
      },
      closed(app(), '0750'),
    ]);
  });

  async function realVersion(): Promise<string> {
    const store = open();
    return app(`..version-${(await store.read(MAPPING, 'current'))?.token}`);
  }
});

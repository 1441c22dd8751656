import { chmod, lstat, mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { startCli } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
let file: string;
const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
const SECRETS = 'username=other/username,password=other/password,service=other/pg_service.conf';
const attaching = (...args: string[]) =>
  run('attach', 'app', '--store', 'files', '--secrets', SECRETS, '--create', ...args);
const detaching = (...args: string[]) =>
  run('detach', 'app', '--store', 'files', '--secrets', SECRETS, ...args);

beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  file = join(workspace.folder, 'config/keyturn.yaml');
  await workspace.configure(filePolicy(workspace.logins));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const config = () => readFile(file, 'utf8');
const other = (name: string) => readFile(join(workspace.folder, 'secrets/other', name), 'utf8');

async function expectRotated(): Promise<void> {
  const { code, stderr } = await run('rotate', 'app', '--inline');
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
}

test('attach publishes at once and edits the YAML, and detach leaves it as it was before (G1)', async () => {
  await expectRotated();
  await chmod(file, 0o640);
  const [before, published] = [await config(), await workspace.published()];
  const asked = await attaching();
  expect(asked.code).toBe(2);
  expect(asked.stdout).toContain('+      - store: files');
  expect(await config()).toBe(before);

  const attached = await attaching('--yes');
  expect(attached).toMatchObject({ code: 0, stderr: '' });
  expect(attached.stdout).toContain(`app: the store files has the credential of ${published.user}`);
  expect(attached.stdout).not.toContain(published.password);
  expect([await other('username'), await other('password')]).toEqual([published.user, published.password]);
  expect(await other('pg_service.conf')).toContain(`[app]\n`);
  expect((await stat(file)).mode & 0o777).toBe(0o640);
  expect(await readdir(join(workspace.folder, 'config'))).toEqual(['keyturn.yaml']);
  expect((await run('status', 'app', '--json')).stdout).not.toContain('published-in-part');

  // The next rotation knows it.
  await expectRotated();
  const next = await workspace.published();
  expect(next.user).not.toBe(published.user);
  expect(await other('password')).toBe(next.password);

  const detached = await detaching('--yes', '--delete');
  expect(detached).toMatchObject({ code: 0, stderr: '' });
  expect(await config()).toBe(before);
  expect(await readdir(join(workspace.folder, 'secrets/other'))).toEqual([]);
  await expectRotated();
  await workspace.logIn();
});

test('a worker that runs already publishes to what was attached right before (G1)', async () => {
  await expectRotated();
  await using worker = startCli(['start'], { cwd: workspace.folder });
  await worker.says('keyturn is ready');
  expect(await attaching('--yes')).toMatchObject({ code: 0 });
  const rotated = await run('rotate', 'app', '--emergency', '--yes', '--wait');
  expect(rotated).toMatchObject({ code: 0 });
  const published = await workspace.published();
  expect([await other('username'), await other('password')]).toEqual([published.user, published.password]);
});

test('without --delete the secrets stay, and are left out from then on', async () => {
  await expectRotated();
  await attaching('--yes');
  const published = await workspace.published();
  expect((await detaching('--yes')).stdout).toContain('its secrets stay as they are');
  await expectRotated();
  expect(await other('password')).toBe(published.password);
});

test('before the first rotation it waits for that', async () => {
  const { code, stdout } = await attaching('--yes');
  expect(code).toBe(0);
  expect(stdout).toContain('app: the next rotation publishes to the store files');
  await expectRotated();
  expect(await other('password')).toBe((await workspace.published()).password);
});

test('with --json it tells without doing, and with --yes what was done', async () => {
  await expectRotated();
  const before = await config();
  const planned = JSON.parse((await attaching('--json')).stdout);
  expect(planned).toMatchObject({ policy: 'app', store: 'files', state: 'planned', login: null });
  expect(await config()).toBe(before);
  const done = JSON.parse((await attaching('--json', '--yes')).stdout);
  expect(done).toMatchObject({ ...planned, state: 'attached', login: (await workspace.published()).user });
  expect(JSON.parse((await detaching('--json')).stdout)).toMatchObject({
    lines: planned.lines,
    state: 'planned',
  });
});

test('of a folder it edits the file that defines the policy, and a link stays a link', async () => {
  const real = join(workspace.folder, 'real');
  await mkdir(real);
  const text = await config();
  const begin = text.indexOf('policies:');
  await writeFile(join(real, 'apps.yaml'), text.slice(begin));
  await writeFile(file, text.slice(0, begin));
  await symlink('../real/apps.yaml', join(workspace.folder, 'config/apps.yaml'));
  await expectRotated();
  expect(await attaching('--yes')).toMatchObject({ code: 0 });
  expect((await lstat(join(workspace.folder, 'config/apps.yaml'))).isSymbolicLink()).toBe(true);
  expect(await readFile(join(real, 'apps.yaml'), 'utf8')).toContain('store: files\n        create: true');
  expect(await config()).toBe(text.slice(0, begin));
  expect(await readdir(real)).toEqual(['apps.yaml']);
});

describe('nothing changes, and the reason is told,', () => {
  test.each([
    [
      'for an unknown field',
      ['--store', 'files', '--secrets', 'pasword=a/b'],
      'unknown field "pasword"; did you mean "password"?',
      2,
    ],
    [
      'for a secret without a name',
      ['--store', 'files', '--secrets', 'password='],
      '--secrets takes field=name',
      2,
    ],
    [
      'for an unknown store',
      ['--store', 'fils', '--secrets', SECRETS],
      'keyturn: --store: unknown store "fils"',
      2,
    ],
    [
      'for half a credential',
      ['--store', 'files', '--secrets', 'username=x/y'],
      'keyturn: --secrets: maps no password',
      2,
    ],
    [
      'for a secret of another destination',
      ['--store', 'files', '--secrets', 'url=app/username'],
      'is written by policies.app.publish[0]',
      2,
    ],
    [
      'for what is there already',
      ['--store', 'files', '--secrets', 'username=app/username,password=app/password'],
      'app publishes to these secrets already',
      2,
    ],
    [
      'for a secret that must be made',
      ['--store', 'files', '--secrets', 'url=none/url', '--yes'],
      'has no secret',
      1,
    ],
  ])('%s', async (_, args, message, code) => {
    await expectRotated();
    const before = await config();
    const told = await run('attach', 'app', ...args);
    expect(told.stderr).toContain(message);
    expect(told.code).toBe(code);
    expect(await config()).toBe(before);
    await workspace.logIn();
  });

  test('for the primary, and for what is not there', async () => {
    const before = await config();
    const primary = await run('detach', 'app', '--store', 'files', '--yes');
    expect([primary.code, primary.stderr]).toEqual([2, expect.stringContaining('publishes nowhere else')]);
    const none = await detaching('--yes');
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('has no such destination')]);
    expect(await config()).toBe(before);
  });

  test('where the YAML is in brackets: it says what to add by hand', async () => {
    await workspace.configure(
      `stores: { files: { type: file, path: secrets } }\npolicies: { app: { connection: db, logins: ${JSON.stringify(workspace.logins)}, publish: [{ store: files, create: true, secrets: { username: app/username, password: app/password } }] } }\n`,
    );
    const before = await config();
    const { code, stderr } = await attaching('--yes');
    expect(code).toBe(1);
    expect(stderr).toContain(
      'config/keyturn.yaml:4:11: keyturn does not edit this: this is written in brackets',
    );
    expect(stderr).toContain('- { store: files, create: true, secrets: { username: other/username,');
    expect(await config()).toBe(before);
  });

  test('where somebody else changed what is published', async () => {
    await expectRotated();
    await writeFile(join(workspace.folder, 'secrets/app/..data/password'), 'chosen');
    const { code, stderr } = await attaching('--yes');
    expect([code, stderr]).toEqual([1, expect.stringContaining('publishes something else')]);
    expect(await readdir(join(workspace.folder, 'secrets'))).toEqual(['app']);
    // The remedy of attachment-of-altered-version.
    expect(await run('rotate', 'app', '--adopt', '--inline', '--yes')).toMatchObject({ code: 0 });
    expect(await attaching('--yes')).toMatchObject({ code: 0 });
  });

  test('in a mounted ConfigMap', async () => {
    const version = join(workspace.folder, 'config/..2024_01_31_23_59_59.123456789');
    await mkdir(version);
    await rename(file, join(version, 'keyturn.yaml'));
    await symlink('..2024_01_31_23_59_59.123456789', join(workspace.folder, 'config/..data'));
    await symlink('..data/keyturn.yaml', file);
    const { code, stderr } = await attaching('--yes');
    expect([code, stderr]).toEqual([1, expect.stringContaining('part of a mounted folder')]);
  });
});

test('detach with a part of the secrets says which secrets each destination of the store has', async () => {
  await expectRotated();
  expect(await attaching('--yes')).toMatchObject({ code: 0 });
  const told = await run('detach', 'app', '--store', 'files', '--secrets', 'username=other/username');
  expect(told.code).toBe(2);
  expect(told.stderr).toContain(`files (destination 2) is --secrets ${SECRETS}`);
});

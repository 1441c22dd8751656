import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const NAMES = ['CredentialError', 'createRotatingPool', 'openCredentials', 'rotatingClient'];

/** An application that has the packed package, and what the package depends on. */
let application: string;
beforeAll(async () => {
  application = await mkdtemp(join(tmpdir(), 'keyturn-application-'));
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', application], {
    cwd: ROOT,
  });
  const [{ filename }] = JSON.parse(packed.stdout);
  const modules = join(application, 'node_modules');
  await mkdir(join(modules, 'keyturn'), { recursive: true });
  await run('tar', [
    '-xzf',
    join(application, filename),
    '--strip-components=1',
    '-C',
    join(modules, 'keyturn'),
  ]);
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.')) await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  }
});
afterAll(() => rm(application, { recursive: true, force: true }));

const node = async (...args: string[]) =>
  (await run(process.execPath, args, { cwd: application })).stdout.trim();

test('the packed package loads from CommonJS and from ESM, with the same names', async () => {
  const print = 'console.log(JSON.stringify(Object.keys(consumer).sort()))';
  const required = await node('-e', `const consumer = require('keyturn/consumer'); ${print}`);
  expect(JSON.parse(required)).toEqual(NAMES);
  const imported = await node(
    '--input-type=module',
    '-e',
    `import * as consumer from 'keyturn/consumer'; ${print}`,
  );
  expect(JSON.parse(imported)).toEqual(NAMES);
});

test.each([
  ['CommonJS', [], "const { openCredentials, createRotatingPool } = require('keyturn/consumer');"],
  ['ESM', ['--input-type=module'], "import { openCredentials, createRotatingPool } from 'keyturn/consumer';"],
])('from %s a process ends by itself, because timers do not keep it alive', async (_, args, load) => {
  const code = `${load}
    const credentials = openCredentials({ type: 'custom', read: async () => ({ username: 'a', password: 'b' }) });
    const pool = createRotatingPool(credentials);
    credentials.current().then(({ username }) => console.log(username));`;
  expect(await node(...args, '-e', code)).toBe('a');
});

test('the AWS SDK is loaded by no other source', async () => {
  const code = `const { openCredentials } = require('keyturn/consumer');
    openCredentials({ type: 'file', path: '.', secrets: { username: 'a/b', password: 'a/c' } }).current().catch(() => {
      console.log(Object.keys(require.cache).some((path) => path.includes('aws-sdk')));
    });`;
  expect(await node('-e', code)).toBe('false');
});

test('both forms have types, and everything else of the package is closed', async () => {
  const code = `import { type Credential, type Credentials, createRotatingPool, openCredentials } from 'keyturn/consumer';
    const credentials: Credentials = openCredentials({ type: 'file', path: '.', secrets: { username: 'a', password: 'b' } });
    export const asked: Promise<Credential> = credentials.current();
    export const size: number = createRotatingPool(credentials, { max: 4 }).totalCount;
    // @ts-expect-error A number is no listener.
    credentials.onChange(7);`;
  for (const name of ['esm.mts', 'commonjs.cts']) await writeFile(join(application, name), code);
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--types', 'node'];
  const compiler = join(ROOT, 'node_modules/.bin/tsc');
  await run(compiler, [...options, 'esm.mts', 'commonjs.cts'], { cwd: application }).catch(({ stdout }) => {
    expect(stdout).toBe('');
  });
  await expect(node('-e', "require('keyturn/dist/src/app.js')")).rejects.toThrow(
    'ERR_PACKAGE_PATH_NOT_EXPORTED',
  );
  expect(await node('-p', "require('keyturn/package.json').name")).toBe('keyturn');
});

test('the program of the packed package runs', async () => {
  const { version, bin } = JSON.parse(await node('-p', "JSON.stringify(require('keyturn/package.json'))"));
  expect(await node(join('node_modules/keyturn', bin.keyturn), '--version')).toBe(version);
});

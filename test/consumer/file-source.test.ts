import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdir, mkdtemp, open as openFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import type { Mapping } from '../../src/config/policy.ts';
import { openCredentials } from '../../src/consumer/credentials.ts';
import type { SecretNames } from '../../src/consumer/source.ts';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';

const SECRETS = { username: 'app/username', password: 'app/password' };
const MAPPING: Mapping = { username: { secret: 'app/username' }, password: { secret: 'app/password' } };

let path: string;
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'keyturn-consumer-'));
});
afterEach(() => rm(path, { recursive: true, force: true }));

function open(secrets: SecretNames = SECRETS) {
  const credentials = openCredentials({ type: 'file', path, secrets });
  onTestFinished(() => credentials.close());
  return credentials;
}

async function publish(mapping: Mapping, fields: { username: string; password: string }): Promise<string> {
  const store = openFileStore({ name: 'files', path });
  const token = randomUUID();
  await store.stage(mapping, token, fields, { create: true });
  await store.promote(mapping, token);
  await store.close();
  return token;
}

test('the version of a credential is the rotation that published it', async () => {
  const version = await publish(MAPPING, { username: 'app_a', password: 'one' });
  expect(await open().current()).toEqual({ username: 'app_a', password: 'one', version });
});

test('both fields of one JSON file are read', async () => {
  const mapping = {
    username: { secret: 'app/db', key: 'user' },
    password: { secret: 'app/db', key: 'pass' },
  };
  await publish(mapping, { username: 'app_a', password: 'one' });
  const credential = await open({ username: 'app/db#user', password: 'app/db#pass' }).current();
  expect(credential).toMatchObject({ username: 'app_a', password: 'one' });
});

test('a reader that never rests gets no pair of two versions over 25 publications (G1)', async () => {
  await publish(MAPPING, { username: 'user-0', password: 'user-0' });
  const credentials = open();
  let isOver = false;
  const seen = new Set<string>();
  const mixed: string[] = [];
  const reading = Promise.all(
    Array.from({ length: 2 }, async () => {
      while (!isOver) {
        const { username, password } = await credentials.refresh();
        seen.add(username);
        if (username !== password) mixed.push(`${username} with ${password}`);
        await turn();
      }
    }),
  );
  for (let count = 1; count <= 25; count += 1) {
    await publish(MAPPING, { username: `user-${count}`, password: `user-${count}` });
  }
  isOver = true;
  await reading;
  expect(mixed).toEqual([]);
  expect(seen.size).toBeGreaterThan(5);
});

test('the layout of Kubernetes is read, and a line end that an editor added is left out', async () => {
  const version = '..2026_01_31_23_59_59.123456789';
  await mkdir(join(path, 'app', version), { recursive: true });
  await writeFile(join(path, 'app', version, 'username'), 'app_a\n');
  await writeFile(join(path, 'app', version, 'password'), 'one\r\n');
  await symlink(version, join(path, 'app', '..data'));
  expect(await open().current()).toEqual({ username: 'app_a', password: 'one', version });
});

test('one plain JSON file will do, because it is read at one instant', async () => {
  await writeFile(join(path, 'db.json'), '{ "username": "app_a", "password": "one" }');
  const credential = await open({ username: 'db.json#username', password: 'db.json#password' }).current();
  expect(credential).toEqual({ username: 'app_a', password: 'one', version: undefined });
});

test('two plain files are refused, because they change at two instants', async () => {
  await mkdir(join(path, 'app'));
  await writeFile(join(path, 'app', 'username'), 'app_a');
  await writeFile(join(path, 'app', 'password'), 'one');
  await expect(open().current()).rejects.toMatchObject({ code: 'folder-without-versions' });
});

test('secrets in two folders are refused at once', () => {
  expect(() => open({ username: 'one/username', password: 'two/password' })).toThrow(/two folders/);
});

test.each(['', '#key', 'name#', 7])('%j is refused as the name of a secret', (name) => {
  expect(() => open({ username: name as string, password: 'app/password' })).toThrow(/name of a secret/);
});

test('what cannot be read is named, and no content is shown (G3)', async () => {
  await expect(open().current()).rejects.toMatchObject({ code: 'folder-without-versions' });
  const version = await publish(MAPPING, { username: 'app_a', password: 'one' });
  const folder = join(path, 'app', `..version-${version}`);
  const missing = open({ username: 'app/username', password: 'app/passwort' }).current();
  await expect(missing).rejects.toMatchObject({ code: 'secret-missing' });
  const json = open({ username: 'app/username#a', password: 'app/password' }).current();
  await expect(json).rejects.toMatchObject({ code: 'secret-not-json' });
  await writeFile(join(folder, 'username'), '{"a":"one","b":7}');
  for (const key of ['b', 'c']) {
    const keyless = open({ username: `app/username#${key}`, password: 'app/password' }).current();
    await expect(keyless).rejects.toMatchObject({ code: 'key-missing', params: { key } });
  }
  await writeFile(join(folder, 'username'), '');
  await expect(open().current()).rejects.toMatchObject({ code: 'secret-empty' });
  await rm(join(folder, 'username'));
  execFileSync('mkfifo', [join(folder, 'username')]);
  await expect(open().current()).rejects.toMatchObject({ code: 'secret-empty' });
});

test('a link ..data that leads out of the folder is refused', async () => {
  await mkdir(join(path, 'app'));
  await mkdir(join(path, 'else'));
  await symlink('../else', join(path, 'app', '..data'));
  await expect(open().current()).rejects.toMatchObject({ code: 'link-foreign' });
});

test('a file that cannot be read is named with the system error', async () => {
  await publish(MAPPING, { username: 'app_a', password: 'one' });
  const file = join(path, 'app', '..data', 'password');
  await rm(file);
  await mkdir(file);
  await expect(open().current()).rejects.toMatchObject({
    code: 'file-unreadable',
    params: { errno: 'EISDIR' },
  });
});

test('a file system that hangs takes one read of the application, not one for each attempt', async () => {
  await publish(MAPPING, { username: 'app_a', password: 'one' });
  // Nothing is read while each of the threads that Node.js has for files waits for the writer of a pipe.
  const pipes = Array.from({ length: Number(process.env.UV_THREADPOOL_SIZE ?? 4) }, (_, index) =>
    join(path, `pipe-${index}`),
  );
  execFileSync('mkfifo', pipes);
  const blocked = pipes.map((pipe) => openFile(pipe));
  const reads = () => process.getActiveResourcesInfo().filter((name) => name === 'FSReqPromise').length;
  const before = reads();
  const credentials = openCredentials({ type: 'file', path, secrets: SECRETS }, { timeout: 20 });
  onTestFinished(() => credentials.close());
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    await expect(credentials.current()).rejects.toMatchObject({ code: 'read-timeout' });
  }
  const during = reads();
  const writers = pipes.map((pipe) => openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
  await Promise.all(blocked.map(async (opening) => (await opening).close()));
  for (const writer of writers) closeSync(writer);
  expect(during - before).toBe(1);
  await expect.poll(() => credentials.current().catch(() => undefined)).toMatchObject({ username: 'app_a' });
});

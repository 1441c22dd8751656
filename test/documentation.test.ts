import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { haveOpenssl, openAuthority } from './support/certificates.ts';
import { cli, MAIN, type RunningCli, startCli } from './support/cli.ts';
import { type Block, blocks, commandsOf } from './support/documentation.ts';

const ROOT = resolve(import.meta.dirname, '..');
const ALL = blocks();
/** A newcomer's folder: the configuration as it comes, and nothing else. */
let folder: string;
let worker: RunningCli | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-docs-'));
  await cp(join(ROOT, 'config'), join(folder, 'config'), { recursive: true });
});

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('what README.md and docs/ say to type', () => {
  const commands = ALL.filter(({ language }) => language === '').flatMap((block) =>
    commandsOf(block).map((command) => ({ page: block.page, command })),
  );

  test.each(commands)('works: $command ($page)', async ({ command }) => {
    if (command.startsWith('npm ')) return expectScript(command);
    const [args = ''] = command.replace('npx . ', '').split(' | ');
    const words = args.split(' ');
    // Of this server there is only a configuration. What is printed for it runs in test/roles/.
    const isPrinted = words.includes('orders-db');
    if (words[0] === 'start') {
      worker = startCli(words, { cwd: folder });
      return worker.says('keyturn is ready');
    }
    const { code, stdout, stderr } = await cli(words, {
      cwd: isPrinted ? await exampleFolder() : folder,
      env: isPrinted ? ENVIRONMENT : {},
    });
    expect({ command, code, stderr: code === 0 ? '' : stderr }).toEqual({ command, code: 0, stderr: '' });
    if (isPrinted) expect(stdout).toContain('CREATE ROLE');
  });
});

/** `npm ci` is what brought the test here, and the demo has a test of its own: what it calls must be the same. */
async function expectScript(command: string): Promise<void> {
  if (command === 'npm ci') return;
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  const [, name = ''] = /^npm run (\S+)$/.exec(command) ?? [];
  expect(resolve(ROOT, String(scripts[name]).split(' ')[1] ?? '')).toBe(MAIN);
}

describe.skipIf(!haveOpenssl)('the configurations that README.md and docs/ show', () => {
  const shown = ALL.filter(({ language }) => language === 'yaml');

  test.each(shown)('are valid: $page', async (block) => {
    const cwd = await exampleFolder(block);
    const { code, stdout, stderr } = await cli(['validate'], { cwd, env: ENVIRONMENT });
    expect({ code, stderr: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, stderr: '' });
  });
});

const ENVIRONMENT = {
  KEYTURN_DATABASE_URL: 'postgresql://keyturn_ledger:secret@db.internal/keyturn',
  DATABASE_URL: 'postgresql://keyturn@db.internal/orders',
  KEYTURN_REDIS_URL: 'rediss://redis.internal',
  KEYTURN_REDIS_PASSWORD: 'secret',
  KEYTURN_SENTINEL_PASSWORD: 'secret',
};

const SECTIONS = ['queue', 'events', 'connections', 'stores', 'policies'];

/** A folder with the README's configuration, in which a block's entries replace or join those of the README. */
async function exampleFolder(block?: Block): Promise<string> {
  const cwd = await mkdtemp(join(folder, 'example-'));
  const base = parse(ALL.find(({ language }) => language === 'yaml')?.text ?? '');
  base.stores.files = { type: 'file', path: 'secrets' };
  const given = block === undefined ? {} : parse(block.text);
  // A block may show one policy without what is around it.
  const more = SECTIONS.some((section) => section in given) ? given : { policies: given };
  for (const section of SECTIONS) {
    base[section] = { ...base[section], ...more[section] };
  }
  await cp(join(ROOT, 'config/keyturn.schema.json'), join(cwd, 'config/keyturn.schema.json'));
  const text = stringify(base).replaceAll('/run/secrets/', './');
  await writeFile(join(cwd, 'config/keyturn.yaml'), text);
  for (const name of ['keyturn-db', 'keyturn-console'])
    await writeFile(join(cwd, name), 'secret', { mode: 0o600 });
  await using authority = await openAuthority('keyturn docs');
  const { cert, key } = await authority.issue({ commonName: 'keyturn' });
  for (const [name, pem] of Object.entries({ ca: authority.ca, root: authority.ca, client: cert })) {
    await writeFile(join(cwd, name === 'ca' ? 'ca.pem' : `${name}.crt`), pem);
  }
  await writeFile(join(cwd, 'client.key'), key, { mode: 0o600 });
  return cwd;
}

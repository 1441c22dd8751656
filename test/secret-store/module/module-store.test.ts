import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fact } from '../../../src/facts/fact.ts';
import { openModuleStore } from '../../../src/secret-store/module/module-store.ts';
import { describeSecretStore } from '../../contract/secret-store.ts';
import { cli } from '../../support/cli.ts';

const MODULE = resolve(import.meta.dirname, 'my-store.mjs');

interface Held {
  text?: string;
  readonly versions: Map<string, string>;
}

describeSecretStore("a module of somebody else's", async () => {
  const secrets = new Map<string, Held>();
  return {
    store: openModuleStore({ name: 'mine', type: 'module', module: MODULE, options: { secrets } }),
    name: (suffix) => `app/${suffix}`,
    apart: (suffix) => `apart/${suffix}`,
    make: async (secret, content) => void secrets.set(secret, { text: content, versions: new Map() }),
    current: async (secret) => secrets.get(secret)?.text,
    close: async () => {},
  };
});

describe('the contract as others run it', () => {
  test('needs no test runner but that of Node.js, and finds each verb that does nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keyturn-contract-'));
    const contract = resolve(import.meta.dirname, '../../../dist/bundle/store-contract.js');
    try {
      const file = join(folder, 'contract.test.mjs');
      await writeFile(
        file,
        `import test from 'node:test';
import { storeContract } from ${JSON.stringify(contract)};
import { openStore } from ${JSON.stringify(MODULE)};
const alter = (store) => ({ ...store, discard: async () => {} });
for (const broken of [false, true]) {
  const open = async () => {
    const secrets = new Map();
    const options = { secrets, ...(broken ? { alter } : {}) };
    return {
      store: openStore({ name: 'mine', options }),
      name: (suffix) => 'a/' + suffix,
      apart: (suffix) => 'b/' + suffix,
      make: async (secret, text) => void secrets.set(secret, { text, versions: new Map() }),
      current: async (secret) => secrets.get(secret)?.text,
      close: async () => {},
    };
  };
  for (const { title, run } of storeContract(open)) test((broken ? 'broken: ' : 'whole: ') + title, run);
}
`,
      );
      const env = { PATH: process.env.PATH, HOME: folder };
      const ran = await promisify(execFile)(process.execPath, ['--test', '--test-reporter=tap', file], {
        env,
        maxBuffer: 10_000_000,
      }).catch((error: { stdout: string }) => error);
      const failed = [...ran.stdout.matchAll(/^ *not ok \d+ - (.*)$/gm)].map(([, title]) => title);
      expect(failed.filter((title) => title?.startsWith('whole'))).toEqual([]);
      expect(failed.filter((title) => title?.startsWith('broken')).length).toBeGreaterThan(3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a store of type module', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'keyturn-module-'));
  });
  afterEach(() => rm(folder, { recursive: true }));
  const VERBS = ['read', 'since', 'stage', 'promote', 'discard', 'remove', 'obstacles', 'rehearse', 'close'];
  const storeOf = (verbs: readonly string[], body = 'undefined') =>
    `export const openStore = () => ({ ${verbs.map((verb) => `${verb}: async () => ${body}`).join(', ')} });`;
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
  const validate = async (module: string) => {
    await write(
      'k.yaml',
      `connections:
  db: { host: db.internal, database: orders, user: keyturn }
stores:
  mine: { type: module, module: ${JSON.stringify(module)} }
policies:
  orders:
    connection: db
    logins: [orders_a, orders_b]
    publish: [{ store: mine, secrets: { username: o#u, password: o#p } }]
`,
    );
    const { code, stdout, stderr } = await cli(['validate', '--config', 'k.yaml'], { cwd: folder });
    return { code, said: `${stdout}${stderr}`.trim() };
  };
  const AT = 'k.yaml:4:33 stores.mine.module';

  test('that keeps the contract is loaded', async () => {
    await write('s.mjs', storeOf(VERBS));
    expect(await validate('./s.mjs')).toMatchObject({ code: 0 });
  });

  test.each([
    ['lacks a verb', storeOf(VERBS.filter((verb) => verb !== 'promote')), 'its store has no verb promote'],
    ['exports nothing', 'export default 1;', 'exports no function openStore'],
    ['cannot be parsed', 'export const = 1', 'cannot be loaded: SyntaxError'],
    [
      'fails',
      "export const openStore = () => { throw new TypeError('hunter2'); };",
      'openStore fails: TypeError',
    ],
    ['gives nothing', 'export const openStore = () => null;', 'openStore gives no store'],
  ])('that %s is refused at its line', async (_, text, why) => {
    await write('s.mjs', text);
    const { code, said } = await validate('./s.mjs');
    expect(code).toBe(2);
    expect(said).toContain(`${AT}: The module ${join(folder, 's.mjs')} of the store mine ${why}`);
    expect(said).not.toContain('hunter2');
  });

  test('that is not there, lies elsewhere or may be written by others is refused at its line, and not run', async () => {
    const told = async (module: string) => (await validate(module)).said;
    const marker = join(folder, 'ran');
    await write(
      's.mjs',
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(marker)}, '');`,
    );
    expect(await told('./no.mjs')).toContain(`${AT}: is no file`);
    expect(await told('./../s.mjs')).toContain(AT);
    await symlink(MODULE, join(folder, 'link.mjs'));
    expect(await told('./link.mjs')).toContain(`${AT}: is not in the folder of the configuration`);
    await chmod(join(folder, 's.mjs'), 0o666);
    expect(await told('./s.mjs')).toContain(`${AT}: may be written by other users`);
    expect(await told('/etc/s.mjs')).toContain(`${AT}: "/etc/s.mjs" is not valid`);
    await expect(rm(marker)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('that gives something of the wrong shape, or throws what is no fault, is told without a value (G3)', async () => {
    await write('s.mjs', storeOf(VERBS, "({ token: 1, fields: 'hunter2' })"));
    await write('t.mjs', storeOf(VERBS, "{ throw new RangeError('hunter2'); }"));
    const mapping = { password: { secret: 'o' } };
    const open = (file: string) =>
      openModuleStore({ name: 'mine', type: 'module', module: join(folder, file), options: {} });
    const thrown = await open('s.mjs')
      .read(mapping, 'current')
      .catch((error: Error) => error);
    expect(thrown).toMatchObject({
      fact: fact('store-module-wrong-result', { store: 'mine', verb: 'read' }),
    });
    expect(String(thrown)).not.toContain('hunter2');
    await expect(
      open('t.mjs').stage(mapping, 't', { password: 'p' }, { create: true }),
    ).rejects.toMatchObject({
      fact: fact('store-module-failed', { store: 'mine', verb: 'stage', detail: 'RangeError' }),
    });
  });

  test('that could not be loaded is loaded at the next request, and closed without a fault (G5)', async () => {
    // Loading a file that failed fails for ever in this process: the store that it opens fails once.
    await write(
      'u.mjs',
      `let opened = 0;
export const openStore = () => {
  opened += 1;
  if (opened === 1) throw new Error('away');
  return { ${VERBS.map((verb) => `${verb}: async () => undefined`).join(', ')} };
};`,
    );
    const store = openModuleStore({
      name: 'mine',
      type: 'module',
      module: join(folder, 'u.mjs'),
      options: {},
    });
    const mapping = { password: { secret: 'o' } };
    await expect(store.read(mapping, 'current')).rejects.toMatchObject({
      fact: { code: 'store-module-invalid' },
    });
    await store.close();
    expect(await store.read(mapping, 'current')).toBeUndefined();
    await store.close();
  });

  test('whose verb never ends is waited for no longer than its time, and told (G5)', async () => {
    await write('v.mjs', storeOf(VERBS, 'new Promise(() => {})'));
    await write('w.mjs', 'export const openStore = () => new Promise(() => {});');
    const mapping = { password: { secret: 'o' } };
    for (const [file, verb] of [
      ['v.mjs', 'read'],
      ['w.mjs', 'openStore'],
    ] as const) {
      const config = { name: 'mine', type: 'module', module: join(folder, file), options: {} } as const;
      await expect(openModuleStore(config, { patience: 100 }).read(mapping, 'current')).rejects.toMatchObject(
        {
          fact: fact('store-module-too-slow', { store: 'mine', verb, seconds: 0.1 }),
        },
      );
    }
  });
});

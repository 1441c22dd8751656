import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { watchPublished } from '../../../src/cli/commands/exec/watch-published.ts';
import type { Mapping } from '../../../src/config/policy.ts';
import { openFileStore } from '../../../src/secret-store/file/file-store.ts';
import { cli, startCli } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';

const SECRETS = ['--store', 'files', '--secrets', 'username=app/username,password=app/password'];
const FAST = ['--every', '1s', '--settle', '1s'];

const STORES = 'stores: { files: { type: file, path: secrets }, others: { type: file, path: others } }';

/** A machine that has a store, and nothing else of keyturn. */
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-exec-'));
  await mkdir(join(folder, 'config'));
  await configure('connections: {}\npolicies: {}');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function configure(yaml: string): Promise<void> {
  await writeFile(join(folder, 'config', 'keyturn.yaml'), `${yaml}\n${STORES}\n`);
}

async function publish(
  username: string,
  password: string,
  extra: Record<string, string> = {},
): Promise<void> {
  const fields = { username, password, ...extra };
  const mapping: Mapping = Object.fromEntries(
    Object.keys(fields).map((field) => [field, { secret: `app/${field}` }]),
  );
  const store = openFileStore({ name: 'files', path: join(folder, 'secrets') });
  const token = randomUUID();
  await store.stage(mapping, token, fields, { create: true });
  await store.promote(mapping, token);
  await store.close();
}

function start(args: readonly string[], program: string, env: Record<string, string> = {}) {
  const running = startCli(['exec', ...SECRETS, ...args, '--', process.execPath, '-e', program], {
    cwd: folder,
    env,
  });
  onTestFinished(() => running[Symbol.asyncDispose]());
  return running;
}

/** Says with which credential it runs, and ends at SIGTERM. */
const SERVER = `process.on('SIGTERM', () => { console.log('stopped;'); process.exit(0); });
  process.on('SIGHUP', () => console.log('reload;'));
  console.log('up with ' + process.env.PGUSER + ' ' + process.env.PGPASSWORD + ';');
  setInterval(() => {}, 1000);`;

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

test('the credential is in the environment of the program, and in no command line (G3)', async () => {
  await publish('app_a', 'secret of a');
  const running = start([], SERVER);
  await running.says('up with app_a secret of a;');
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    processes.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  expect(lines.filter((line) => line.includes('secret of a'))).toEqual([]);
  expect(lines.some((line) => line.includes(folder) || line.includes('up with '))).toBe(true);
});

test.each([
  ['process.exit(7)', 7],
  ["process.kill(process.pid, 'SIGKILL')", 137],
  ["process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)", 143],
])('the exit code of %s is passed on', async (program, code) => {
  await publish('app_a', 'a');
  expect(await start([], program).exited).toBe(code);
});

test('a program that is not there is exit code 127, as of a shell', async () => {
  await publish('app_a', 'a');
  const { code, stderr } = await keyturn(['exec', ...SECRETS, '--', '/no/such/program'], { cwd: folder });
  expect({ code, stderr }).toEqual({
    code: 127,
    stderr: 'keyturn: Cannot start /no/such/program: ENOENT; check that it is on PATH and may be executed\n',
  });
});

test('signals are passed on, and whatever the program makes of them', async () => {
  await publish('app_a', 'a');
  const signals = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGINT', 'SIGTERM'] as const;
  const program = `for (const name of ${JSON.stringify(signals)}) process.on(name, () => {
      console.log('got ' + name);
      if (name === 'SIGTERM') process.exit(9);
    });
    console.log('up');
    setInterval(() => {}, 1000);`;
  const running = start([], program);
  await running.says('up');
  for (const signal of signals) {
    running.process.kill(signal);
    await running.says(`got ${signal}`);
  }
  expect(await running.exited).toBe(9);
});

test('after a change the program is stopped and started with the new credential, and not before', async () => {
  await publish('app_a', 'one');
  const running = start(FAST, SERVER);
  await running.says('up with app_a one;');
  await publish('app_a', 'one');
  await publish('app_b', 'two');
  await running.says('up with app_b two;');
  expect(running.stdout().replaceAll('\n', ' ')).toBe('up with app_a one; stopped; up with app_b two; ');
  running.process.kill('SIGTERM');
  expect(await running.exited).toBe(0);
});

test('two changes within a moment are one restart, and none if it is the old value again', async () => {
  await publish('app_a', 'one');
  const running = start(['--settle', '3s'], SERVER);
  await running.says('up with app_a one;');
  await publish('app_b', 'two');
  await publish('app_a', 'three');
  await running.says('up with app_a three;');
  expect(running.stdout()).not.toContain('two');
  await publish('app_b', 'four');
  await publish('app_a', 'three');
  await publish('app_a', 'three', { host: 'another version of the same values' });
  await new Promise((later) => setTimeout(later, 4_000));
  expect(count(running.stdout(), 'up with')).toBe(2);
});

test('a change of the credential while the program is being stopped is part of the same restart', async () => {
  await publish('app_a', 'one');
  const slow = SERVER.replace(
    "console.log('stopped;'); process.exit(0);",
    "console.log('stopping;'); setTimeout(() => process.exit(0), 4000);",
  );
  const running = start(['--every', '1s', '--settle', '0s'], slow);
  await running.says('up with app_a one;');
  await publish('app_b', 'two');
  await running.says('stopping;');
  await publish('app_a', 'three');
  await running.says('up with app_a three;');
  expect(running.stdout()).not.toContain('up with app_b two;');
});

test('a program that ignores SIGTERM is killed after --stop-timeout', async () => {
  await publish('app_a', 'one');
  const deaf = SERVER.replace("console.log('stopped;'); process.exit(0);", "console.log('deaf;');");
  const running = start([...FAST, '--stop-timeout', '1s'], deaf);
  await running.says('up with app_a one;');
  await publish('app_b', 'two');
  await running.says('up with app_b two;');
  expect(running.stdout()).toContain('deaf;');
  running.process.kill('SIGUSR2');
  expect(await running.exited).toBe(140);
});

test('a program that goes on after Ctrl-C is restarted, and Ctrl-C during a stop is the end', async () => {
  await publish('app_a', 'one');
  const program = `process.on('SIGINT', () => console.log('cancelled;'));
    ${SERVER.replace("console.log('stopped;'); process.exit(0);", "console.log('stopping;'); setTimeout(() => process.exit(5), 2000);")}`;
  const running = start(['--every', '1s', '--settle', '0s'], program);
  await running.says('up with app_a one;');
  running.process.kill('SIGINT');
  await running.says('cancelled;');
  await publish('app_b', 'two');
  await running.says('up with app_b two;');
  await publish('app_a', 'three');
  await expect.poll(() => count(running.stdout(), 'stopping;')).toBe(2);
  running.process.kill('SIGINT');
  expect(await running.exited).toBe(5);
  expect(running.stdout()).not.toContain('three');
});

test('signal:HUP sends the signal once for a change, and none sends nothing', async () => {
  await publish('app_a', 'one');
  const told = start([...FAST, '--on-rotate', 'signal:HUP'], SERVER);
  const untold = start([...FAST, '--on-rotate', 'none'], SERVER);
  for (const each of [told, untold]) await each.says('up with app_a one;');
  await publish('app_b', 'two');
  await told.says('reload;');
  await untold.says('left as it is');
  expect(count(told.stdout(), 'reload;')).toBe(1);
  expect(told.stdout() + untold.stdout()).not.toContain('two');
  expect(untold.stdout()).not.toContain('reload;');
});

test('a NUL byte, which no variable can have, does not stop the program or show the value (G3)', async () => {
  await publish('app_a', 'hunter\0two');
  const first = await keyturn(['exec', ...SECRETS, '--', 'true'], { cwd: folder });
  expect(first).toMatchObject({ code: 1, stderr: expect.stringContaining('PGPASSWORD') });
  await publish('app_a', 'one');
  const running = start(FAST, SERVER);
  await running.says('up with app_a one;');
  await publish('app_b', 'hunter\0two');
  await running.says('keeps what it has');
  await publish('app_b', 'three');
  await running.says('up with app_b three;');
  expect(count(running.stdout(), 'up with')).toBe(2);
  expect(first.stderr + running.stderr()).not.toMatch(/hunter|two/);
});

test('a credential that is too long for a program is said without it, at first and at a restart (G3)', async () => {
  // 128 KiB for one string: https://man7.org/linux/man-pages/man2/execve.2.html
  const long = 'secret'.repeat(50_000);
  await publish('app_a', 'one');
  const running = start(FAST, SERVER);
  await running.says('up with app_a one;');
  await publish('app_b', long);
  expect(await running.exited).toBe(126);
  const first = await keyturn(['exec', ...SECRETS, '--', 'true'], { cwd: folder });
  expect(first).toMatchObject({ code: 126, stderr: expect.stringContaining('Cannot start true: E2BIG') });
  expect(running.stderr()).toContain('E2BIG');
  expect(first.stderr + running.stderr()).not.toContain('secretsecret');
});

test('the program goes on while the store is away, which is said once', async () => {
  await publish('app_a', 'one');
  const running = start(FAST, SERVER);
  await running.says('up with app_a one;');
  await rename(join(folder, 'secrets'), join(folder, 'away'));
  await running.says('keeps what it has');
  await new Promise((later) => setTimeout(later, 2_500));
  expect(count(running.stderr(), 'keeps what it has')).toBe(1);
  await rename(join(folder, 'away'), join(folder, 'secrets'));
  await publish('app_b', 'two');
  await running.says('up with app_b two;');
  expect(count(running.stdout(), 'up with')).toBe(2);
});

describe('The environment of the program', () => {
  const PRINT = 'process.stdout.write(JSON.stringify(process.env))';
  const environmentWith = async (args: readonly string[], env: Record<string, string> = {}) => {
    const running = start(args, PRINT, env);
    expect({ code: await running.exited, stderr: running.stderr() }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(running.stdout());
  };

  test('by default has the variables of libpq that are known', async () => {
    await publish('app_a', 'one', { host: 'db.internal' });
    const env = { PGUSER: 'somebody', PGPORT: '6000' };
    expect(await environmentWith([], env)).toMatchObject({
      PGUSER: 'app_a',
      PGPASSWORD: 'one',
      PGPORT: '6000',
    });
    const mapped = await environmentWith(['--secrets', 'host=app/host']);
    expect(mapped).toMatchObject({ PGUSER: 'app_a', PGHOST: 'db.internal' });
  });

  test('has what --env asks for, and then no others of libpq', async () => {
    await publish('app_a', 'p/w');
    const args = ['--env', 'LOGIN={username}:{password}@{"x"}', '--env', 'PLAIN=text'];
    const environment = await environmentWith(args);
    expect(environment).toMatchObject({ LOGIN: 'app_a:p/w@{"x"}', PLAIN: 'text' });
    expect(environment).not.toHaveProperty('PGPASSWORD');
  });

  test('may come from one secret that has both, such as a URL', async () => {
    await publish('app_a', 'one', { url: 'postgresql://app_a:one@db.internal:5432/orders' });
    const command = ['--', process.execPath, '-e', PRINT];
    const args = [
      'exec',
      '--store',
      'files',
      '--secrets',
      'url=app/url',
      '--env',
      'A={username} {url}',
      ...command,
    ];
    const running = startCli(args, { cwd: folder });
    await running.exited;
    expect(JSON.parse(running.stdout())).toMatchObject({
      A: 'app_a postgresql://app_a:one@db.internal:5432/orders',
    });
  });

  test('has no variable of keyturn, unless --env names it', async () => {
    await publish('app_a', 'one');
    const env = { KEYTURN_DATABASE_URL: 'a secret of keyturn', KEYTURN_LOG_LEVEL: 'warn' };
    const environment = await environmentWith(['--env', 'KEYTURN_LOG_LEVEL'], env);
    expect(environment).toMatchObject({ KEYTURN_LOG_LEVEL: 'warn', PGUSER: 'app_a' });
    expect(environment).not.toHaveProperty('KEYTURN_DATABASE_URL');
  });
});

test.each([
  ['no command', [...SECRETS], 'There is no command to run'],
  ['no source', ['--', 'true'], 'not clear where to read'],
  ['a policy and secrets', ['app', ...SECRETS, '--', 'true'], 'not clear where to read'],
  ['two policies', ['app', 'other', '--', 'true'], 'not clear where to read'],
  ['a store without secrets', ['--store', 'files', '--', 'true'], 'not clear where to read'],
  ['an unknown policy', ['app', '--', 'true'], 'no policy'],
  ['an unknown store', ['--store', 'fils', '--secrets', 'username=a', '--', 'true'], 'did you mean files?'],
  [
    'an unknown field',
    ['--store', 'files', '--secrets', 'usrname=a/b', '--', 'true'],
    'did you mean username?',
  ],
  ['a field too few', ['--store', 'files', '--secrets', 'username=a/b', '--', 'true'], 'where password is'],
  ['no field', ['--store', 'files', '--secrets', 'username', '--', 'true'], 'no field with a secret'],
  [
    'an impossible secret',
    ['--store', 'files', '--secrets', 'username=../a', '--', 'true'],
    'cannot be the name',
  ],
  ['an unknown placeholder', [...SECRETS, '--env', 'A={uri}', '--', 'true'], 'did you mean {url}?'],
  ['no variable', [...SECRETS, '--env', 'A-B={url}', '--', 'true'], 'no name of a variable'],
  [
    'a duration that no timer can wait',
    [...SECRETS, '--every', '30d', '--', 'true'],
    '--every must be 24d at most, not "30d"',
  ],
  [
    'an unknown action',
    [...SECRETS, '--on-rotate', 'signal:KILL', '--', 'true'],
    'must be restart, none, or signal:',
  ],
])('%s is a fault of usage', async (_, args, message) => {
  const { code, stderr } = await keyturn(['exec', ...args], { cwd: folder });
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
  expect(stderr.trim().split('\n')).toHaveLength(1);
});

describe('With a policy', () => {
  const policies = (publish: string) => `state: { database: postgresql://k:k@127.0.0.1:1/state }
connections: { db: { host: 127.0.0.1, port: 1, database: orders, user: k, password: k } }
policies: { app: { connection: db, logins: [app_a, app_b], publish: ${publish} } }`;
  const FILES = '[{ store: files, secrets: { username: app/username, password: app/password } }]';

  test('the program gets where the database is, though no server is asked', async () => {
    await configure(policies(FILES));
    const run = (...args: string[]) => keyturn(['exec', 'app', ...args, '--', 'true'], { cwd: folder });
    expect(await run()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('run: keyturn rotate app'),
    });
    await publish('app_a', 'one');
    const print = 'process.stdout.write(JSON.stringify(process.env))';
    const running = startCli(['exec', 'app', '--', process.execPath, '-e', print], { cwd: folder });
    await running.exited;
    const [PGHOST, PGPORT, PGDATABASE, PGSSLMODE] = ['127.0.0.1', '1', 'orders', 'disable'];
    const login = { PGUSER: 'app_a', PGPASSWORD: 'one' };
    expect(JSON.parse(running.stdout())).toMatchObject({ PGHOST, PGPORT, PGDATABASE, PGSSLMODE, ...login });
    expect(existsSync(join(folder, '.keyturn'))).toBe(false);
    expect(await run('--store', 'others')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('app does not publish to the store others; it publishes to files'),
    });
  });

  test('one without a destination is refused at its line', async () => {
    await configure(policies('[]'));
    const { code, stderr } = await keyturn(['exec', 'app', '--', 'true'], { cwd: folder });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^config\/keyturn\.yaml:3:\d+ policies\.app\.publish: /),
    });
  });
});

test('--splay spreads the restarts of many programs', async () => {
  const began = performance.now();
  const changed: number[] = [];
  const watches = Array.from({ length: 20 }, () =>
    watchPublished({
      every: 1_000,
      settle: 0,
      splay: 2_000,
      folders: [],
      isChanged: async () => changed.length < 20,
      onChange: async () => void changed.push(performance.now() - began),
      onFault: () => {},
    }),
  );
  onTestFinished(() => {
    for (const watch of watches) watch.close();
  });
  await expect.poll(() => changed.length).toBeGreaterThanOrEqual(20);
  expect(Math.max(...changed) - Math.min(...changed)).toBeGreaterThan(500);
});

describe('A change in a watched folder', () => {
  const watchFolder = (isChanged: () => Promise<boolean>, onChange: () => void = () => {}) => {
    const times = { every: 3_600_000, settle: 0, splay: 0 };
    const call = { onChange: async () => onChange(), onFault: () => {} };
    const watch = watchPublished({ ...times, ...call, folders: [folder], isChanged });
    onTestFinished(() => watch.close());
  };
  const touch = () => writeFile(join(folder, 'touched'), '');

  test('is seen though it happens while a look is under way', async () => {
    let looks = 0;
    let current = 'one';
    let hasChanged = false;
    const isChanged = async () => {
      looks += 1;
      const read = current;
      if (looks === 1) {
        // Published right after it was read.
        current = 'two';
        await touch();
        await new Promise((later) => setTimeout(later, 300));
      }
      return read !== 'one';
    };
    watchFolder(isChanged, () => {
      hasChanged = true;
    });
    await touch();
    await expect.poll(() => hasChanged, { timeout: 10_000 }).toBe(true);
  });

  test('is looked for though others follow without a pause', async () => {
    let looks = 0;
    watchFolder(async () => {
      looks += 1;
      return false;
    });
    const end = performance.now() + 10_000;
    while (looks < 3 && performance.now() < end) {
      await touch();
      await new Promise((later) => setTimeout(later, 20));
    }
    expect(looks).toBeGreaterThan(2);
  });
});

test('what nobody has published yet, and what only a policy knows, is said', async () => {
  const run = (...args: string[]) => keyturn(['exec', ...SECRETS, ...args, '--', 'true'], { cwd: folder });
  expect(await run()).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('has no username and password'),
  });
  await publish('app_a', 'one');
  expect(await run('--env', 'DATABASE_URL={url}')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Nothing says what {url} is, which DATABASE_URL needs'),
  });
  expect(existsSync(join(folder, '.keyturn'))).toBe(false);
});

test('{sslmode} of an embedded PostgreSQL is known while it does not run, and a store alone does not know it', async () => {
  await configure(`connections: { db: { database: orders } }
policies:
  app:
    connection: db
    logins: [app_a, app_b]
    publish: [{ store: files, secrets: { username: app/username, password: app/password } }]`);
  await publish('app_a', 'one');
  const program = ['--env', 'MODE={sslmode}', '--', process.execPath, '-p', 'process.env.MODE'];
  const run = (...args: string[]) => cli(['exec', ...args, ...program], { cwd: folder });
  expect(await run('app')).toMatchObject({ code: 0, stdout: 'disable\n' });
  expect(await run(...SECRETS)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(
      /\{sslmode\} is, which MODE needs; name a policy: its connection says it$/m,
    ),
  });
});

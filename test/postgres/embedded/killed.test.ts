import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Embedded, openEmbedded } from '../../../src/postgres/embedded/cluster.ts';
import { runningServer } from '../../../src/postgres/embedded/pid-file.ts';
import { adminOf } from '../../support/admin.ts';
import { cli, startCli } from '../../support/cli.ts';

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'keyturn-killed-'));
  await chmod(base, 0o755);
});
afterAll(() => rm(base, { recursive: true, force: true }));

const running = (folder: string) => runningServer({ data: join(folder, 'cluster', 'data') });

/** Kills the postmaster as the kernel does when memory runs out, and resolves with its process. */
async function killPostmaster(folder: string): Promise<number> {
  const { pid } = (await running(folder)) ?? {};
  if (pid === undefined) throw new Error('no server runs');
  process.kill(pid, 'SIGKILL');
  return pid;
}

/** Resolves once another process than `pid` takes connections. */
async function runsAgain(folder: string, pid: number): Promise<void> {
  await expect
    .poll(async () => {
      const found = await running(folder);
      return found?.ready === true && found.pid !== pid;
    })
    .toBe(true);
}

test('a postmaster that is killed is started again, once, by those that use it, until the last lets go', async () => {
  const folder = join(base, 'shared', '.keyturn', 'postgres');
  const changes: string[][] = [[], [], []];
  const attached: Embedded[] = [];
  for (const list of changes) {
    attached.push(await openEmbedded({ folder, onChange: (change) => list.push(change) }));
  }
  {
    await using session = await adminOf(attached[0] as Embedded);
    await session.client.query('CREATE TABLE kept ()');
  }
  const killed = await killPostmaster(folder);
  await runsAgain(folder, killed);
  await expect.poll(() => changes).toEqual([1, 2, 3].map(() => ['lost', 'back']));
  for (const one of attached) {
    await using session = await adminOf(one);
    await session.client.query('SELECT FROM kept');
  }
  const { pid } = (await running(folder)) ?? {};
  const [last, ...others] = attached;
  for (const other of others) await other.close();
  expect((await running(folder))?.pid).toBe(pid);
  await last?.close();
  expect(await running(folder)).toBeUndefined();
  await (await openEmbedded({ folder })).destroy();
});

test('letting go of a server while it is started again leaves none behind', async () => {
  const folder = join(base, 'closing', '.keyturn', 'postgres');
  let tell: () => void = () => {};
  const lost = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const embedded = await openEmbedded({ folder, onChange: () => tell() });
  await killPostmaster(folder);
  await lost;
  await embedded.close();
  expect(await running(folder)).toBeUndefined();
  await (await openEmbedded({ folder })).destroy();
});

const CONFIGURATION = `connections: { db: { database: shop } }
stores: { files: { type: file, path: .keyturn/secrets } }
policies:
  shop:
    connection: db
    logins: [shop_a, shop_b]
    drain: { grace: 0s, timeout: 5s }
    publish: [{ store: files, create: true, secrets: { username: shop/username, password: shop/password } }]
`;

test('a worker whose postmaster is killed goes on with another, and ends with 1 where that keeps ending', async () => {
  const cwd = join(base, 'worker');
  const folder = join(cwd, '.keyturn', 'postgres');
  await mkdir(join(cwd, 'config'), { recursive: true });
  await writeFile(join(cwd, 'config', 'keyturn.yaml'), CONFIGURATION);
  await using worker = startCli(['start'], { cwd });
  await worker.says('keyturn is ready');
  const rotate = () => cli(['rotate', 'shop', '--wait'], { cwd });
  expect(await rotate()).toMatchObject({ code: 0 });
  const isBack = (times: number) =>
    expect.poll(() => worker.stderr().split('the embedded PostgreSQL runs again').length - 1).toBe(times);
  await killPostmaster(folder);
  await isBack(1);
  expect(await rotate()).toMatchObject({ code: 0 });
  for (const times of [2, 3]) {
    await killPostmaster(folder);
    await isBack(times);
  }
  await killPostmaster(folder);
  expect(await worker.exited).toBe(1);
  expect(worker.stderr()).toMatch(/keyturn: The embedded PostgreSQL in .* is lost: it ended 4 times/);
  await (await openEmbedded({ folder })).destroy();
  // It starts PostgreSQL five times and a command three times.
}, 300_000);

import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Embedded, openEmbedded } from '../../../src/postgres/embedded/cluster.ts';
import { runningServer } from '../../../src/postgres/embedded/pid-file.ts';
import { adminOf } from '../../support/admin.ts';

let base: string;
let folder: string;
const opened: Embedded[] = [];

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'keyturn-embedded-'));
  await chmod(base, 0o755);
  folder = join(base, '.keyturn', 'postgres');
});
afterEach(async () => {
  // Not destroyed one by one: those that still use the server would start it again meanwhile.
  for (const cluster of opened.splice(0)) await cluster.close();
  await rm(base, { recursive: true, force: true });
});

async function open(at = folder): Promise<Embedded> {
  const cluster = await openEmbedded({ folder: at });
  opened.push(cluster);
  return cluster;
}

const running = (at = folder) => runningServer({ data: join(at, 'cluster', 'data') });

async function answer(cluster: Embedded): Promise<unknown> {
  await using session = await adminOf(cluster);
  return (await session.client.query('SELECT 1 AS one')).rows[0].one;
}

/**
 * A process that opens the same cluster, says its port, and holds it until its standard input
 * closes.
 */
function holder(): { said: Promise<string>; end(signal?: NodeJS.Signals): Promise<void>; interrupt(): void } {
  const script = `
    import { openEmbedded } from ${JSON.stringify(resolve(import.meta.dirname, '../../../dist/src/postgres/embedded/cluster.js'))};
    const cluster = await openEmbedded({ folder: ${JSON.stringify(folder)} });
    process.on('SIGINT', () => {});
    console.log(cluster.port);
    process.stdin.on('end', async () => { await cluster.close(); process.exit(0); }).resume();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: resolve(import.meta.dirname, '../../..'),
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  });
  const exited = new Promise<void>((done) => child.on('close', () => done()));
  return {
    said: new Promise((found) => child.stdout.once('data', (text) => found(String(text).trim()))),
    async end(signal) {
      if (signal) child.kill(signal);
      else child.stdin.end();
      await exited;
    },
    interrupt: () => process.kill(-Number(child.pid), 'SIGINT'),
  };
}

test('a new cluster answers on loopback, by SCRAM only, with its password in a file of mode 0600', async () => {
  const cluster = await open();
  expect(cluster.host).toBe('127.0.0.1');
  expect(await answer(cluster)).toBe(1);
  await expect(adminOf({ ...cluster, password: 'wrong' })).rejects.toMatchObject({ code: '28P01' });
  const file = join(folder, 'cluster', 'password');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await readFile(file, 'utf8')).toBe(cluster.password);
  const rules = await readFile(join(folder, 'cluster', 'data', 'pg_hba.conf'), 'utf8');
  expect(
    rules.split('\n').filter((line) => line && !line.startsWith('#') && !/scram-sha-256$/.test(line)),
  ).toEqual([]);
});

test('it keeps its data, its password and its port from one start to the next', async () => {
  const first = await open();
  {
    await using session = await adminOf(first);
    await session.client.query('CREATE TABLE kept ()');
  }
  await first.close();
  expect(await running()).toBeUndefined();
  const second = await open();
  expect([second.port, second.password]).toEqual([first.port, first.password]);
  await using session = await adminOf(second);
  await session.client.query('SELECT FROM kept');
});

test('it moves to another port where its own is taken', async () => {
  const first = await open();
  await first.close();
  const squatter = createServer().listen(first.port, '127.0.0.1');
  await new Promise((ready) => squatter.once('listening', ready));
  const second = await open();
  expect(second.port).not.toBe(first.port);
  expect(await answer(second)).toBe(1);
  await new Promise((closed) => squatter.close(closed));
});

test('a second process attaches, and the server stops with the last of them', async () => {
  const first = await open();
  const other = holder();
  expect(await other.said).toBe(String(first.port));
  await first.close();
  expect(await running()).toBeDefined();
  await other.end();
  expect(await running()).toBeUndefined();
});

test('two that begin at once on an empty folder share one cluster', async () => {
  const [one, two] = await Promise.all([openEmbedded({ folder }), openEmbedded({ folder })]);
  opened.push(one, two);
  expect([one.port, one.password]).toEqual([two.port, two.password]);
  expect(await answer(two)).toBe(1);
});

test('opening while the last one closes gives a server that stays', async () => {
  const first = await open();
  const [, second] = await Promise.all([first.close(), open()]);
  expect(await answer(second)).toBe(1);
});

test('a server whose process was killed is adopted by the next', async () => {
  const killed = holder();
  const port = await killed.said;
  await killed.end('SIGKILL');
  expect(await running()).toBeDefined();
  const next = await open();
  expect(String(next.port)).toBe(port);
  await next.close();
  expect(await running()).toBeUndefined();
});

test('a server that a power cut ended is started again, its stale pid file notwithstanding', async () => {
  const first = await open();
  const data = join(folder, 'cluster', 'data');
  const pidFile = await readFile(join(data, 'postmaster.pid'), 'utf8');
  await first.close();
  // A pid that no process has: they end at 4194304 on Linux.
  await writeFile(join(data, 'postmaster.pid'), pidFile.replace(/^\d+/, '4194305'));
  expect(await answer(await open())).toBe(1);
});

test('Ctrl-C in the terminal ends keyturn and not the server before it', async () => {
  const process = holder();
  await process.said;
  process.interrupt();
  const other = await open();
  expect(await answer(other)).toBe(1);
  await process.end();
  expect(await answer(other)).toBe(1);
});

test('destroying it leaves nothing', async () => {
  const cluster = await openEmbedded({ folder });
  await cluster.destroy();
  expect(await running()).toBeUndefined();
  await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
});

test.skipIf(process.getuid?.() !== 0)(
  'root may keep it in a folder that other users cannot enter',
  async () => {
    const closed = join(base, 'closed');
    await mkdir(closed, { mode: 0o700 });
    const inside = join(closed, 'postgres');
    const cluster = await openEmbedded({ folder: inside });
    expect(await answer(cluster)).toBe(1);
    const home = await readlink(inside);
    expect(home).toMatch(/^\/var\/lib\/keyturn\//);
    expect((await stat(join(home, 'cluster', 'data'))).mode & 0o777).toBe(0o700);
    await cluster.close();
    const again = await openEmbedded({ folder: inside });
    expect(again.password).toBe(cluster.password);
    await again.destroy();
    await expect(stat(home)).rejects.toMatchObject({ code: 'ENOENT' });
  },
);

test.skipIf(process.getuid?.() !== 0)('an ordinary user needs nothing of root', async () => {
  const own = join(base, 'own');
  await mkdir(own);
  const { chown } = await import('node:fs/promises');
  const nobody = 65_534;
  await chown(own, nobody, nobody);
  const script = `
    import { openEmbedded } from ${JSON.stringify(resolve(import.meta.dirname, '../../../dist/src/postgres/embedded/cluster.js'))};
    const cluster = await openEmbedded({ folder: ${JSON.stringify(join(own, 'postgres'))} });
    console.log(process.getuid(), cluster.port > 0);
    await cluster.destroy();
  `;
  const said = await new Promise<string>((done) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: own,
      uid: nobody,
      gid: nobody,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        text += chunk;
      });
    child.on('close', () => done(text.trim()));
  });
  expect(said).toBe(`${nobody} true`);
});

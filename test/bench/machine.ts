import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { adminOf } from '../support/admin.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { median, timed } from './measure.ts';
import { serverOptions } from './options.ts';
import { figure, type Table } from './report.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PACKAGES = ['bullmq', 'ioredis', 'pg'];
const FLUSHES = 30;

/** What it was measured on. No name and no path of it. */
export async function describeMachine(): Promise<Table> {
  const { postgres, fsync } = await describePostgres();
  const versions = await Promise.all(
    PACKAGES.map(async (name) => [name, await versionIn(`node_modules/${name}`)]),
  );
  return {
    title: '',
    head: ['what', 'which'],
    rows: [
      ['processor', `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores`],
      ['memory', `${figure(totalmem() / 2 ** 30)} GiB`],
      ['system', `${type()} ${release().split('.').slice(0, 2).join('.')}`],
      ['Node.js', process.versions.node],
      ['keyturn', await versionIn('.')],
      ['PostgreSQL', `${postgres}, fsync ${fsync}`],
      ['Redis', await redisVersion()],
      ...versions.map(([name = '', version = '']) => [name, version]),
      ['one fsync', `${figure(await flushTime(), 'ms')} (median)`],
    ],
  };
}

async function describePostgres(): Promise<{ readonly postgres: string; readonly fsync: string }> {
  await using server = await startPostgres(serverOptions());
  await using admin = await adminOf(server);
  const { rows } = await admin.client.query(
    "SELECT current_setting('server_version') AS postgres, current_setting('fsync') AS fsync",
  );
  return rows[0];
}

async function versionIn(folder: string): Promise<string> {
  return JSON.parse(await readFile(join(ROOT, folder, 'package.json'), 'utf8')).version;
}

async function redisVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)('redis-server', ['--version']).catch(() => ({ stdout: '' }));
  return /v=(\S+)/.exec(stdout)?.[1] ?? 'none';
}

/** What the file store and each commit wait for. */
async function flushTime(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-flush-'));
  try {
    const times: number[] = [];
    for (let number = 0; number < FLUSHES; number += 1) {
      const handle = await open(join(folder, `${number}`), constants.O_CREAT | constants.O_WRONLY);
      await handle.writeFile('one sector');
      const [took] = await timed(() => handle.sync());
      times.push(took);
      await handle.close();
    }
    return median(times);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

import { chmod, mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cli, startCli } from '../../support/cli.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyturn-demo-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Processes that work in a folder of ours: the demo's own, and the server that it starts. */
async function processesIn(...folders: string[]): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return places.filter((place) => folders.some((own) => place.startsWith(own)));
}

const homes = () => readdir('/var/lib/keyturn').catch(() => []);

async function expectNothingLeft(before: readonly string[]): Promise<void> {
  expect(await readdir(join(folder, '.keyturn')).catch(() => [])).toEqual([]);
  expect(await processesIn(folder)).toEqual([]);
  // Where root's folder is closed to others, the server's data is kept here meanwhile.
  expect((await homes()).filter((name) => !before.includes(name))).toEqual([]);
}

test('the demo rotates under load with nothing failed, and leaves no process, port or file (G1, G2)', async () => {
  await chmod(folder, 0o755);
  const before = await homes();
  const { code, stdout, stderr } = await cli(['demo', '--duration', '12s'], { cwd: folder });
  const lines = stdout.trimEnd().split('\n');
  const [, rotations, queries] =
    /^demo: (\d+) rotations, (\d+) queries, 0 failed queries, 0 refused logins$/.exec(lines.at(-1) ?? '') ??
    [];
  expect(Number(rotations), stdout).toBeGreaterThanOrEqual(2);
  expect(Number(queries)).toBeGreaterThan(100);
  expect(lines.at(-2)).toBe(
    `${Number(rotations) - 1} replaced password${rotations === '2' ? '' : 's'} tried, 0 still log in`,
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await expectNothingLeft(before);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle of the demo leaves nothing either',
  async (signal) => {
    const before = await homes();
    const demo = startCli(['demo'], { cwd: folder });
    await demo.says('queries so far');
    demo.process.kill(signal);
    expect(await demo.exited).toBe(130);
    expect(demo.stdout()).toMatch(/^interrupted; \d+ replaced passwords? not tried$/m);
    await expectNothingLeft(before);
  },
);

test('a demo that was killed is cleared away by the next', async () => {
  const before = await homes();
  const killed = startCli(['demo'], { cwd: folder });
  await killed.says('queries so far');
  killed.process.kill('SIGKILL');
  await killed.exited;
  const next = startCli(['demo'], { cwd: folder });
  await next.says('queries so far');
  next.process.kill('SIGINT');
  expect(await next.exited).toBe(130);
  await expectNothingLeft(before);
});

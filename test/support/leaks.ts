import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';

// Runs in the process of every test file, before it. Hooks that come after tests run in reverse order, so this one
// is last and sees what the file's own left behind.

/** What was closed may take a moment to be gone. */
const PATIENCE_MS = 20_000;

const outer = process.env.TMPDIR;
const folder = await mkdtemp(join(tmpdir(), 'keyturn-test-'));
// PostgreSQL's server user must get in.
await chmod(folder, 0o755);
process.env.TMPDIR = folder;
const before = { sockets: sockets(), processes: new Set((await processes()).map(({ pid }) => pid)) };

afterAll(async () => {
  const deadline = Date.now() + PATIENCE_MS;
  let left = await leaks();
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(50);
    left = await leaks();
  }
  // PostgreSQL takes this one as an immediate shutdown; it would else go on without its folder.
  for (const { pid } of await strayProcesses()) process.kill(pid, 'SIGQUIT');
  if (outer === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = outer;
  await rm(folder, { recursive: true, force: true });
  if (left.length > 0) throw new Error(`This file leaks ${left.join(', ')}`);
});

async function leaks(): Promise<string[]> {
  const open = sockets() - before.sockets;
  return [
    ...(open > 0 ? [`${open} open connection${open === 1 ? '' : 's'}`] : []),
    ...(await strayProcesses()).map(({ pid, name }) => `the process ${pid} (${name})`),
    ...(await readdir(folder)).map((name) => `the folder or file ${name}`),
  ];
}

/** How many TCP connections and servers this process holds. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /^TCP(Socket|Server)Wrap$/.test(name)).length;
}

async function strayProcesses(): Promise<{ pid: number; name: string }[]> {
  return (await processes()).filter(({ pid }) => !before.processes.has(pid));
}

/**
 * The children of this process, and whatever knows its folder: a command has it as TMPDIR and a PostgreSQL as its
 * data directory, even when the process in between is gone. Nothing where there is no /proc.
 */
async function processes(): Promise<{ pid: number; name: string }[]> {
  if (!existsSync('/proc/self/stat')) return [];
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // One that ends meanwhile, or is another user's, is read as nothing.
      const [stat, command, environment] = await Promise.all(
        ['stat', 'cmdline', 'environ'].map((file) =>
          readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''),
        ),
      );
      // https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: pid (name) state parent …; the name may hold spaces.
      const [, name = '', parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(String(stat)) ?? [];
      const ours = Number(parent) === process.pid || `${command}${environment}`.includes(folder);
      return ours ? [{ pid, name }] : [];
    }),
  );
  return found.flat();
}

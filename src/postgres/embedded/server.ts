import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { lchown, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fault } from '../../facts/fault.ts';
import type { Binaries } from './binaries.ts';
import { appendTo, createOwn } from './own-files.ts';
import { runningServer } from './pid-file.ts';
import { type ServerUser, signalAs } from './server-user.ts';

/** One PostgreSQL server on loopback: where it is, and how it is started and stopped. */
export interface Server {
  readonly binaries: Binaries;
  readonly user: ServerUser | undefined;
  /** Its data directory. */
  readonly data: string;
  readonly log: string;
}

export const SUPERUSER = 'keyturn';

const START_PATIENCE_MS = 60_000;

/**
 * Makes a cluster that lets nobody in without SCRAM. `data` must not exist yet, and the server's
 * user must be able to enter its folder.
 */
export async function initialize(
  server: Server,
  {
    password,
    settings = {},
  }: { readonly password: string; readonly settings?: Readonly<Record<string, string>> },
): Promise<void> {
  const { binaries, user, data } = server;
  await mkdir(data, { mode: 0o700 });
  // The password goes through a file, because every user may read a program's arguments.
  const passwordFile = `${data}.password`;
  try {
    await writePassword(passwordFile, password, user);
    if (user) await lchown(data, user.uid, user.gid);
    await runProgram(server, binaries.initdb, [
      `--pgdata=${data}`,
      `--username=${SUPERUSER}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
    ]);
  } finally {
    await rm(passwordFile, { force: true });
  }
  const lines = Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: '200',
    ...settings,
  }).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  await appendTo(join(data, 'postgresql.conf'), user?.uid, lines.join(''));
}

/** The folder is not the server's user's, but the file is: `initdb` reads it. */
async function writePassword(path: string, password: string, user: ServerUser | undefined): Promise<void> {
  const handle = await createOwn(path);
  try {
    await handle.writeFile(password);
    if (user) await handle.chown(user.uid, user.gid);
  } finally {
    await handle.close();
  }
}

/** A server that this process started. */
export interface Started {
  /** Resolves when its process has ended and was reaped. */
  readonly exited: Promise<void>;
}

/**
 * Starts the server and waits until it takes connections. A fault has the end of its log. It runs
 * the server itself and not pg_ctl, which would leave an orphan: in a container without an init
 * process every server that ends would stay as a zombie.
 */
export async function startServer(server: Server, port: number): Promise<Started> {
  // Each start begins a new log, which tells why the last start failed. Several processes may start
  // the server at once, so the log gets its name once it is known which of them did. The server
  // gets it opened, and need not find it.
  const draft = `${server.log}.${randomUUID()}`;
  const log = await createOwn(draft);
  const child = spawn(server.binaries.postgres, ['-D', server.data, '-p', String(port)], {
    ...spawnOptions(server),
    stdio: ['ignore', log.fd, log.fd],
  });
  // It outlives this process if another one still uses it.
  child.unref();
  const exited = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  // Whoever awaits it gets the fault.
  exited.catch(() => {});
  await log.close();
  try {
    await untilReady(server, { child, exited, draft });
  } catch (error) {
    await keepLog(server, draft);
    throw error;
  }
  await rename(draft, server.log);
  await removeDrafts(server);
  return { exited };
}

interface Starting extends Started {
  readonly child: ChildProcess;
  /** Its log. */
  readonly draft: string;
}

async function untilReady(server: Server, { child, exited, draft }: Starting): Promise<void> {
  const { data, log } = server;
  let running = true;
  const stop = () => {
    running = false;
  };
  exited.then(stop, stop);
  const deadline = Date.now() + START_PATIENCE_MS;
  while (!(await isReady(server, child.pid))) {
    if (!running) {
      const said = await readFile(draft, 'utf8').catch(() => '');
      await exited;
      throw fault('embedded-start-failed', { data, detail: said.slice(-2_000) });
    }
    if (Date.now() > deadline) {
      child.kill('SIGQUIT');
      throw fault('embedded-start-timeout', { data, log, seconds: START_PATIENCE_MS / 1_000 });
    }
    await sleep(50);
  }
}

/**
 * Keeps the log of a start that failed, unless another process's server runs, whose log has the
 * name.
 */
async function keepLog(server: Server, draft: string): Promise<void> {
  if (await runningServer(server)) await rm(draft, { force: true });
  else await rename(draft, server.log).catch(() => {});
}

/** Removes the logs of other starts, of killed ones too. */
async function removeDrafts({ log }: Server): Promise<void> {
  for (const name of await readdir(dirname(log))) {
    if (name.startsWith(`${basename(log)}.`)) await rm(join(dirname(log), name), { force: true });
  }
}

async function isReady(server: Server, pid: number | undefined): Promise<boolean> {
  const found = await runningServer(server);
  return found?.ready === true && found.pid === pid;
}

const STOP_SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;
const STOP_PATIENCE_MS = 60_000;

/**
 * Stops the server if it is running. It uses a signal and not pg_ctl, which would go on waiting for
 * another server that was started in the same folder meanwhile.
 * https://www.postgresql.org/docs/current/server-shutdown.html
 */
export async function stopServer(server: Server, mode: keyof typeof STOP_SIGNALS = 'fast'): Promise<void> {
  const running = await runningServer(server);
  if (!running) return;
  await signalAs(server.user, running.pid, STOP_SIGNALS[mode]);
  const deadline = Date.now() + STOP_PATIENCE_MS;
  while ((await runningServer(server))?.pid === running.pid) {
    if (Date.now() > deadline) {
      throw fault('embedded-stop-timeout', { pid: running.pid, seconds: STOP_PATIENCE_MS / 1_000 });
    }
    await sleep(50);
  }
}

/** How every program runs: as the server's user, without keyturn's environment and terminal. */
function spawnOptions({ user, data }: Server) {
  return {
    ...user,
    // A folder that the server's user can enter. In a session of its own Ctrl-C does not reach it.
    cwd: data,
    detached: true,
    // PGPORT or PGDATA in the environment would change what the programs do.
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
  };
}

function runProgram(server: Server, program: string, args: readonly [string, ...string[]]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...spawnOptions(server), stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve();
      else
        reject(
          fault('embedded-program-failed', { program, argument: args[0], status: code, detail: said.trim() }),
        );
    });
  });
}

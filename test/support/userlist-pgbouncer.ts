import { spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findServerUser } from '../../src/postgres/embedded/server-user.ts';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { PGBOUNCER } from './pgbouncer.ts';
import { freePort } from './postgres-server.ts';
import type { Scenario } from './scenario.ts';

/** A PgBouncer whose auth_file is a secret `pool/userlist.txt` of a file store, by its usual name. */
export interface UserlistPgBouncer extends AsyncDisposable {
  readonly port: number;
  readonly store: SecretStore;
  /** Begins to serve. There must be a userlist. */
  start(): Promise<void>;
  /** Has it read the userlist again, which it does not do by itself. */
  reload(): void;
}

export async function openUserlistPgBouncer({ connection }: Scenario): Promise<UserlistPgBouncer> {
  const user = await findServerUser();
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-userlist-'));
  await chmod(folder, 0o755);
  const secrets = join(folder, 'secrets');
  const group = user ? { group: String(user.gid) } : {};
  const store = openFileStore({ name: 'pool', path: secrets, ...group });
  const port = await freePort();
  const ini = join(folder, 'pgbouncer.ini');
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: join(secrets, 'pool/userlist.txt'),
    // Else a refused login holds up those after it.
    server_login_retry: 0,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`);
  const target = `* = host=${connection.host} port=${connection.port}\n`;
  await writeFile(ini, `[databases]\n${target}[pgbouncer]\n${lines.join('')}`);
  if (user) await chown(ini, user.uid, user.gid);
  let stop = async () => {};
  let reload = () => {};
  return {
    port,
    store,
    async start() {
      const child = spawn(String(PGBOUNCER), [ini], {
        ...user,
        cwd: '/',
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const exited = new Promise<void>((done) => child.once('close', () => done()));
      reload = () => void child.kill('SIGHUP');
      stop = async () => {
        child.kill('SIGTERM');
        await exited;
      };
      let said = '';
      const up = new Promise<void>((done) => {
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          said += text;
          if (said.includes('process up')) done();
        });
      });
      await Promise.race([up, exited]);
      if (child.exitCode !== null) throw new Error(`pgbouncer does not start: ${said}`);
    },
    reload: () => reload(),
    async [Symbol.asyncDispose]() {
      await stop();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Until `attempt` succeeds: PgBouncer needs a moment for a signal. */
export async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { PgBouncer as Console } from '../../src/config/config.ts';
import { findServerUser } from '../../src/postgres/embedded/server-user.ts';
import { openPgBouncer } from '../../src/postgres/sessions/pgbouncer.ts';
import { freePort } from './postgres-server.ts';
import type { Scenario } from './scenario.ts';

// Debian has it where only root's PATH leads.
export const PGBOUNCER = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  .map((folder) => join(folder, 'pgbouncer'))
  .find((path) => existsSync(path));

export const havePgBouncer = PGBOUNCER !== undefined;

const DOCS = resolve(import.meta.dirname, '../../docs/pgbouncer.md');

/** A PgBouncer of a test's own before a scenario's database, on a free port, set up word for word as the docs say. */
export interface PgBouncer extends AsyncDisposable {
  /** Its admin console, as a connection lists it. */
  readonly console: Console;
  /** The scenario, whose connection lists it. */
  readonly scenario: Scenario;
  stop(): Promise<void>;
}

/** `entry` is added to the database's line, where what is said later counts. */
export async function startPgBouncer(
  scenario: Scenario,
  settings: Readonly<Record<string, string>> = {},
  { entry: changed = '' }: { readonly entry?: string } = {},
): Promise<PgBouncer> {
  if (PGBOUNCER === undefined) throw new Error('There is no pgbouncer on PATH');
  const { host, port: serverPort, database } = scenario.connection;
  await prepare(scenario.admin);
  const user = await findServerUser();
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-pgbouncer-'));
  const [config, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'userlist.txt')];
  const port = await freePort();
  const entry = /^orders = host=db\.internal port=5432 dbname=orders$/m;
  const ini = documented('ini');
  if (!entry.test(ini))
    throw new Error(`${DOCS} does not have the [databases] that tests put theirs in place of`);
  // What is said later counts.
  const own = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_file: users,
    ...settings,
  };
  const address = `host=${host} port=${serverPort} ${changed}`;
  // Its files cannot name every database; * stands for all others.
  const target = /^\w+$/.test(database) ? `${database} = ${address} dbname=${database}` : `* = ${address}`;
  const lines = Object.entries(own).map(([name, value]) => `${name} = ${value}\n`);
  await writeFile(config, ini.replace(entry, target) + lines.join(''), { mode: 0o600 });
  await writeFile(users, documented('text'), { mode: 0o600 });
  // It does not run as root either.
  if (user) for (const path of [folder, config, users]) await chown(path, user.uid, user.gid);
  const child = spawn(PGBOUNCER, [config], { ...user, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const exited = new Promise<void>((done) => child.once('close', () => done()));
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
  };
  const [, password = ''] = /^"keyturn_console" "(.*)"$/m.exec(documented('text')) ?? [];
  const console: Console = {
    host: '127.0.0.1',
    port,
    user: 'keyturn_console',
    password,
    tls: { mode: 'disable' },
  };
  const deadline = Date.now() + 60_000;
  for (let up = false; !up; ) {
    try {
      await (await openPgBouncer(console))[Symbol.asyncDispose]();
      up = true;
    } catch (error) {
      if (child.exitCode === null && Date.now() < deadline) await sleep(50);
      else {
        await stop();
        throw new Error(`pgbouncer does not start: ${said}`, { cause: error });
      }
    }
  }
  return {
    console,
    scenario: scenario.with({ connection: { ...scenario.connection, pgbouncer: [console] } }),
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs the statements of the docs in a database. The role that they make is the whole cluster's. */
async function prepare(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query(
    "SELECT to_regrole('pgbouncer_auth') AS role, to_regnamespace('pgbouncer') AS schema",
  );
  if (rows[0].schema !== null) return;
  const statements = documented('sql');
  await admin.query(rows[0].role === null ? statements : statements.replace(/^CREATE ROLE .*$/m, ''));
}

/** The one block of the docs that is in a language. */
function documented(language: 'sql' | 'ini' | 'text'): string {
  const blocks = [...readFileSync(DOCS, 'utf8').matchAll(/^```(\w+)\n(.*?)^```$/gms)];
  const [block, ...others] = blocks.filter(([, of]) => of === language);
  if (block?.[2] === undefined || others.length > 0) throw new Error(`${DOCS} needs one ${language} block`);
  return block[2];
}

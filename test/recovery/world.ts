import { randomUUID } from 'node:crypto';
import { cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { expect } from 'vitest';
import { probeTurn } from '../../jobs/probe.ts';
import { type App, openApp } from '../../src/app.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Rotation, StepName } from '../../src/ledger/rotation.ts';
import { connect } from '../../src/postgres/connection/connect.ts';
import { quoteIdentifier, quoteLiteral } from '../../src/postgres/identifier.ts';
import { healPublished } from '../../src/roles/restore/heal-published.ts';
import { rotate } from '../../src/rotation/rotate.ts';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import { adminOf } from '../support/admin.ts';
import type { CliResult } from '../support/cli.ts';
import { dyingWith, GONE } from '../support/dying-with.ts';
import { keyturn } from '../support/keyturn.ts';
import { MAPPING, type ServerAddress } from '../support/scenario.ts';
import { uniqueName } from '../support/unique-name.ts';
import { type Account, filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';
import type { Row } from './rows.ts';

const MIRROR = { username: { secret: 'mirror/username' }, password: { secret: 'mirror/password' } };

/** A part of the world as it was at an instant, which can be brought back. */
export interface Backup {
  restore(): Promise<void>;
}

/** What was logged, by code. */
type Said = readonly { readonly code?: string }[];

/** A policy `app` with a ledger, a file store and two logins. Each can be lost, or be put back as it was. */
export interface World extends AsyncDisposable {
  readonly workspace: Workspace;
  /** Runs a command of keyturn. */
  run(...args: string[]): Promise<CliResult>;
  /** Rotates to the end. Returns the rotation's id. */
  rotate(): Promise<string>;
  /**
   * Begins a rotation whose process dies when a step has had its effect and nobody knows, or right before its effect;
   * `drain`: while it waits. Returns its id.
   */
  stopAfter(step: StepName, when?: 'started' | 'done'): Promise<string>;
  /** Runs the open rotation to its end, as a worker does. */
  runOpen(): Promise<void>;
  /** Probes the policy as a worker does. Returns what the log says. */
  probe(): Promise<Said>;
  /** Runs the command that a row says ends it, to its end. */
  end(row: Row): Promise<CliResult>;
  ledger<Result>(ask: (ledger: Ledger) => Promise<Result>): Promise<Result>;
  /** Makes the state database anew, with nothing in it. */
  loseLedger(): Promise<void>;
  backUpLedger(): Promise<Backup>;
  loseStore(): Promise<void>;
  backUpStore(): Promise<Backup>;
  /** A version of the store, at whatever stage. */
  backUpVersion(id: string): Promise<Backup>;
  /** The logins as `pg_dumpall --roles-only` has them. */
  backUpRoles(): Promise<Backup>;
  canLogIn(login: string): Promise<boolean>;
  /** Publishes a version in the primary as whoever may write the store can, with a token of their own. */
  publishByHand(account: Account): Promise<void>;
  /** Makes a version current in the second destination, `mirror`. */
  promoteMirror(id: string): Promise<void>;
  publishedIn(folder: string): Promise<Account>;
  /** A session of a consumer. */
  connect(account: Account): Promise<AsyncDisposable>;
}

export async function openWorld(
  server: ServerAddress,
  policy: (logins: readonly [string, string]) => string = filePolicy,
): Promise<World> {
  const workspace = await openWorkspace(server);
  await workspace.configure(policy(workspace.logins));
  const admin = await adminOf(server);
  const { folder, state, logins } = workspace;
  const secrets = join(folder, 'secrets');
  const store = openFileStore({ name: 'files', path: secrets });
  const copies: string[] = [];
  const run = (...args: string[]) => keyturn(args, { cwd: folder });
  const drop = async (name: string) => {
    await admin.client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
  };
  const copy = async (from: string, to: string) => {
    await admin.client.query(`CREATE DATABASE ${quoteIdentifier(to)} TEMPLATE ${quoteIdentifier(from)}`);
  };
  return {
    workspace,
    run,
    async rotate() {
      const { stdout, stderr, code } = await run('rotate', 'app', '--inline', '--json');
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      return JSON.parse(stdout)[0].rotation;
    },
    stopAfter: (step, when = 'done') => withApp(folder, (app) => stopAfter(app, step, when)),
    runOpen: () => withApp(folder, runOpen),
    probe: () => withApp(folder, probe),
    async end({ command }) {
      if (command === undefined) throw new Error('no command ends it');
      const [name = ''] = command;
      const result = await run(...command, ...(name === 'rotate' ? ['--inline'] : []), '--yes');
      expect({ command, ...result }).toMatchObject({ code: 0 });
      return result;
    },
    ledger: (ask) => withApp(folder, async (app) => ask(await app.ledger())),
    async loseLedger() {
      await drop(state);
      await admin.client.query(`CREATE DATABASE ${quoteIdentifier(state)}`);
    },
    async backUpLedger() {
      const name = uniqueName('backup');
      copies.push(name);
      await copy(state, name);
      return {
        async restore() {
          await drop(state);
          await copy(name, state);
        },
      };
    },
    loseStore: () => rm(secrets, { recursive: true, force: true }),
    async backUpStore() {
      const to = join(folder, uniqueName('backup'));
      await copyFolder(secrets, to);
      return {
        async restore() {
          await rm(secrets, { recursive: true, force: true });
          await copyFolder(to, secrets);
        },
      };
    },
    async backUpVersion(id) {
      const [from, to] = [join(secrets, 'app', `..version-${id}`), join(folder, uniqueName('backup'))];
      await copyFolder(from, to);
      return { restore: () => copyFolder(to, from) };
    },
    async backUpRoles() {
      const { rows } = await admin.client.query(
        'SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE rolname = ANY ($1)',
        [logins],
      );
      return {
        async restore() {
          for (const { rolname, rolcanlogin, rolpassword } of rows) {
            const password = rolpassword === null ? 'NULL' : quoteLiteral(rolpassword);
            const can = rolcanlogin ? 'LOGIN' : 'NOLOGIN';
            await admin.client.query(`ALTER ROLE ${quoteIdentifier(rolname)} ${can} PASSWORD ${password}`);
          }
        },
      };
    },
    async canLogIn(login) {
      const { rows } = await admin.client.query('SELECT rolcanlogin FROM pg_roles WHERE rolname = $1', [
        login,
      ]);
      return rows[0].rolcanlogin;
    },
    async publishByHand({ user: username, password }) {
      const token = randomUUID();
      await store.stage(MAPPING, token, { username, password }, { create: true });
      await store.promote(MAPPING, token);
    },
    promoteMirror: (id) => store.promote(MIRROR, id),
    async publishedIn(name) {
      const [user = '', password = ''] = await Promise.all(
        ['username', 'password'].map((file) => readFile(join(secrets, name, file), 'utf8')),
      );
      return { user, password };
    },
    async connect(account) {
      const client = await workspace.connect(account);
      return { [Symbol.asyncDispose]: () => client.end() };
    },
    async [Symbol.asyncDispose]() {
      for (const name of copies) await drop(name);
      await admin[Symbol.asyncDispose]();
      await workspace[Symbol.asyncDispose]();
    },
  };
}

/** As `cp -a` does. */
function copyFolder(from: string, to: string): Promise<void> {
  return cp(from, to, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
}

async function withApp<Result>(cwd: string, act: (app: App) => Promise<Result>): Promise<Result> {
  const env = { ...process.env, KEYTURN_LOG_LEVEL: 'silent' };
  await using app = await openApp({ configPath: 'config', env, cwd });
  return await act(app);
}

async function runOpen(app: App): Promise<void> {
  const ledger = await app.ledger();
  const [open] = await ledger.open('app');
  if (!open) throw new Error('no rotation is open');
  // Read anew each time, as a worker does: a run that waits has written what the next one goes by.
  for (let now: Rotation | undefined = open; now?.status === 'open'; now = await ledger.find(open.id)) {
    await using run = await app.run(now);
    const outcome = await rotate(run);
    if ('until' in outcome) await sleep(Math.max(0, outcome.until - app.clock.now()));
  }
}

async function stopAfter(app: App, step: StepName, when: 'started' | 'done'): Promise<string> {
  const ledger = await app.ledger();
  const asked = { id: randomUUID(), policy: 'app', reason: 'manual', requestedBy: 'test' } as const;
  const rotation = await ledger.request(asked);
  if (!rotation) throw new Error('no rotation was opened');
  await using run = await app.run(rotation);
  const dying = Object.defineProperty(run, 'ledger', { value: dyingWith(run.ledger, step, when) });
  const outcome = await rotate(dying).catch((error: Error) => error.message);
  if (step === 'drain') expect(outcome).toMatchObject({ status: 'waiting' });
  else expect(outcome).toBe(GONE);
  return rotation.id;
}

async function probe(app: App): Promise<Said> {
  const said: { code?: string }[] = [];
  const ledger = await app.ledger();
  const policies = new Map([['app', { ...app.policy('app'), probe: { every: 900_000 } }]]);
  await ledger.probes.keep(new Map([['app', 900_000]]));
  await ledger.probes.hurry(['app']);
  const log = pino({ base: null }, { write: (line: string) => said.push(JSON.parse(line)) });
  const restore = (policy: Parameters<typeof healPublished>[1]) => healPublished(app, policy);
  const openRotator = async (name: string) => connect(await app.target(name));
  await probeTurn({ ledger, log, policies: () => policies, openView: app.view, openRotator, restore })();
  return said;
}

/** The warnings of a policy's history, newest rotation first, by code. */
export async function historyOf(world: World) {
  const { stdout } = await world.run('history', 'app', '--json');
  const reports: {
    rotation: string;
    status: string;
    requestedBy: string;
    outgoing: string | null;
    finishedAt: string | null;
    warnings: { code: string; params: Record<string, unknown> }[];
    fault: { code: string } | null;
  }[] = JSON.parse(stdout);
  return reports;
}

/** What a rotation that nobody helps stops at, by the codes of what was found. */
export async function stopOf(world: World): Promise<string> {
  const { code, stdout } = await world.run('rotate', 'app', '--inline', '--json');
  expect(code).toBe(1);
  return JSON.stringify(JSON.parse(stdout)[0].fault);
}

/** Expects what is published to log in, and rotations to go on as ever (G1). */
export async function expectWhole(world: World): Promise<void> {
  const { workspace } = world;
  await workspace.logIn();
  const before = await workspace.published();
  await world.rotate();
  await workspace.logIn();
  expect((await workspace.published()).user).not.toBe(before.user);
  await expect(workspace.logIn(before)).rejects.toThrow();
  // What was broken is so until a probe has seen that it works.
  await world.probe();
  expect((await world.run('status', 'app')).code).toBe(0);
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { openApp } from '../../src/app.ts';
import { tell } from '../../src/messages/tell.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { requestDueRotation } from '../../src/rotation/due-rotation.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { openWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace;
let admin: Awaited<ReturnType<typeof adminOf>>;
const sessions: pg.Client[] = [];
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  admin = await adminOf(inject('postgres'));
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.end();
  await admin[Symbol.asyncDispose]();
  await workspace[Symbol.asyncDispose]();
});

const PASSWORD = 'in-use-since-2019';

async function configure(every: string): Promise<void> {
  await workspace.configure(`stores: { files: { type: file, path: secrets } }
policies:
  app:
    connection: db
    logins: ${JSON.stringify(workspace.logins)}
    schedule: { every: ${every} }
    drain: { grace: 0s, timeout: 30s }
    publish:
      - { store: files, create: true, secrets: { username: app/username, password: app/password } }
`);
}

async function letIn(login: string): Promise<void> {
  await admin.client.query(`ALTER ROLE ${quoteIdentifier(login)} LOGIN PASSWORD '${PASSWORD}'`);
}

async function use(login: string): Promise<void> {
  await letIn(login);
  sessions.push(await workspace.connect({ user: login, password: PASSWORD }));
}

async function putIntoSecret(username: string): Promise<void> {
  const folder = join(workspace.folder, 'secrets', 'app');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'username'), username);
  await writeFile(join(folder, 'password'), PASSWORD);
}

/** The logins as PostgreSQL has them. */
async function world(): Promise<unknown> {
  const { rows } = await admin.client.query(
    'SELECT rolname, rolcanlogin, rolpassword FROM pg_authid WHERE rolname = ANY ($1) ORDER BY 1',
    [workspace.logins],
  );
  return rows;
}

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

/** A worker, which sweeps as it starts; and what its ledger then has. */
async function start() {
  const app = await openApp({
    configPath: 'config',
    cwd: workspace.folder,
    env: { KEYTURN_LOG_LEVEL: 'silent' },
  });
  const ledger = await app.ledger();
  await app.work();
  return { app, ledger, [Symbol.asyncDispose]: () => app[Symbol.asyncDispose]() };
}

describe('A policy put over logins in use whose credential is in the secret', () => {
  test('starts by using it as it is, and changes nothing until the first slot (G1)', async () => {
    const [a] = workspace.logins;
    await configure('30d');
    await use(a);
    await putIntoSecret(a);
    const before = await world();
    await using worker = await start();
    expect(await worker.ledger.latest({ limit: 10 })).toEqual([]);
    expect(await world()).toEqual(before);
    const { code, stdout } = await run('doctor');
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(`ok +published +${a}, as files`),
    });
  });

  test('rotates at the first slot to the other login, also where that one has a password, too', async () => {
    const [a, b] = workspace.logins;
    await configure('1s');
    await letIn(a);
    await letIn(b);
    await putIntoSecret(a);
    await using worker = await start();
    await expect
      .poll(async () => (await worker.ledger.latest({ limit: 100 })).at(-1))
      .toMatchObject({ reason: 'schedule', incoming: b, outgoing: a, status: 'done' });
    await workspace.logIn();
  });
});

describe('A policy whose secret is empty though one of its logins is in use', () => {
  beforeEach(async () => {
    await configure('30d');
    await use(workspace.logins[0]);
  });

  test('is not rotated unasked: the rotation explains the choices, and is not tried every minute (G5)', async () => {
    const [a, b] = workspace.logins;
    const before = await world();
    await using worker = await start();
    await expect
      .poll(async () => (await worker.ledger.latest({ limit: 10 })).map(({ status }) => status))
      .toEqual(['failed']);
    const [rotation] = await worker.ledger.latest({ limit: 1 });
    expect(rotation).toMatchObject({ reason: 'first', requestedBy: 'schedule', incoming: null });
    const choices = [
      `Nothing is published yet, but ${a} is in use: 1 session`,
      'put the username and password in use into app/username and app/password of files (primary), and nothing changes until the first slot',
      'or end the sessions',
      `gives ${b} a new password, publishes that, waits for at most 30 s for the sessions of ${a} to end and revokes it`,
      'run: keyturn rotate app',
    ];
    const told = [
      rotation?.lastFault ? tell(rotation.lastFault) : '',
      ...(await Promise.all([run('status'), run('plan'), run('doctor')])).map(({ stdout }) => stdout),
    ];
    for (const text of told) for (const choice of choices) expect(text).toContain(choice);
    const { app, ledger } = worker;
    const soon = { ledger, now: Date.now() + 14 * 60_000, isUnpublished: async () => true };
    expect(await requestDueRotation(app.policy('app'), await ledger.timing('app'), soon)).toBeUndefined();
    expect(await world()).toEqual(before);
  });

  test('goes on by itself once the sessions have ended', async () => {
    expect(await run('doctor')).toMatchObject({ code: 1 });
    for (const session of sessions.splice(0)) await session.end();
    await expect.poll(async () => (await run('doctor')).code).toBe(0);
  });

  test('is adopted once the credential is in the secret', async () => {
    expect(await run('doctor')).toMatchObject({ code: 1 });
    await putIntoSecret(workspace.logins[0]);
    expect(await run('doctor')).toMatchObject({ code: 0 });
  });

  test('is rotated when asked, with a warning; the login in use is revoked when its sessions have ended (G2)', async () => {
    const [a, b] = workspace.logins;
    const [session] = sessions.splice(0);
    const ended = run('rotate', 'app', '--inline');
    await expect.poll(() => workspace.published().catch(() => undefined)).toMatchObject({ user: b });
    await session?.query('SELECT 1');
    await session?.end();
    const { code, stderr } = await ended;
    expect(code).toBe(0);
    expect(stderr).toContain(`check warning: Nothing is published yet, but ${a} is in use`);
    await workspace.logIn();
  });

  test('is refused, asked or not, while both are (G5)', async () => {
    await use(workspace.logins[1]);
    const before = await world();
    const { code, stdout } = await run('rotate', 'app', '--inline');
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(
        /both .* have sessions, .* into app\/username and app\/password of files.*; or end/,
      ),
    });
    expect(await world()).toEqual(before);
  });
});

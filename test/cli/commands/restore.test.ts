import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { adminOf } from '../../support/admin.ts';
import { keyturn } from '../../support/keyturn.ts';
import { type Account, filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
let published: Account;
const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

async function breakLogin(clauses: string): Promise<void> {
  await using admin = await adminOf(inject('postgres'));
  await admin.client.query(`ALTER ROLE ${published.user} ${clauses}`);
}

beforeAll(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins));
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
  published = await workspace.published();
});
afterAll(() => workspace?.[Symbol.asyncDispose]());
beforeEach(async () => {
  expect(await run('restore', 'app', '--yes')).toMatchObject({ code: 0 });
});

test('restore says that there is nothing to do while the published login logs in', async () => {
  expect(await run('restore', 'app')).toMatchObject({
    code: 0,
    stdout: `app: ${published.user} logs in; there is nothing to restore\n`,
  });
});

test('restore shows what it would do, asks, and with --yes makes the same password work again (G7)', async () => {
  await breakLogin("NOLOGIN PASSWORD 'another'");
  const asked = await run('restore', 'app');
  // Nobody can be asked here.
  expect(asked.code).toBe(2);
  expect(asked.stdout).toContain(`app: ${published.user} is refused: `);
  expect(asked.stdout).toContain(`app: sets the password of ${published.user} to the one that `);
  expect(asked.stderr).toContain('--yes');
  await expect(workspace.logIn(published)).rejects.toThrow();

  const { code, stdout, stderr } = await run('restore', '--all', '--yes');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`app: ${published.user} logs in again\n`);
  expect(stdout + asked.stdout + asked.stderr).not.toContain(published.password);
  expect(await workspace.published()).toEqual(published);
  await workspace.logIn(published);
});

test('restore --json tells without doing, and with --yes what was done', async () => {
  await breakLogin("PASSWORD 'another'");
  const told = await run('restore', 'app', '--json');
  expect(told.code).toBe(1);
  const change = { code: 'restore-sets-password', params: { login: published.user } };
  expect(JSON.parse(told.stdout)).toMatchObject([
    { policy: 'app', login: published.user, state: 'refused', changes: [change], fault: expect.any(Object) },
  ]);
  await expect(workspace.logIn(published)).rejects.toThrow();
  const done = await run('restore', 'app', '--json', '--yes');
  expect(done.code).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject([{ state: 'restored', changes: [change] }]);
  await workspace.logIn(published);
});

test('restore --sql prints statements that do it, without the password (G3)', async () => {
  await breakLogin("PASSWORD 'another'");
  const { code, stdout } = await run('restore', 'app', '--sql');
  expect(code).toBe(0);
  expect(stdout).not.toContain(published.password);
  expect(stdout).toContain('SCRAM-SHA-256$');
  await using admin = await adminOf(inject('postgres'), workspace.target);
  await admin.client.query(stdout);
  await workspace.logIn(published);
});

test('restore needs a policy or --all, and does not restore a rotator itself', async () => {
  expect(await run('restore')).toMatchObject({ code: 2 });
  expect(await run('restore', 'app', '--all')).toMatchObject({ code: 2 });
});

test('restore does not restore a rotator itself, and names what tells more', async () => {
  const own = `stores: { files: { type: file, path: secrets } }
policies:
  own:
    type: rotator
    connection: db
    publish: [{ store: files, create: true, secrets: { username: own/username, password: own/password } }]
`;
  await workspace.configure(own, { connection: { user: 'rotator', password: 'of-the-rotator' } });
  try {
    const { code, stderr } = await run('restore', '--all');
    expect(code).toBe(1);
    expect(stderr).toContain('keyturn: own: ');
    // What restore-of-rotator names.
    expect(stderr).toContain('run: keyturn doctor own');
    expect((await run('doctor', 'own')).stdout).toContain('own');
  } finally {
    await workspace.configure(filePolicy(workspace.logins));
  }
});

test('status says broken, exits with 1, and names what restores it: then it is active again (G7)', async () => {
  await breakLogin("PASSWORD 'another'");
  // As two probes of a worker record it: test/jobs/probe.test.ts has those.
  await using state = await adminOf(inject('postgres'), workspace.state);
  await state.client.query(
    `INSERT INTO keyturn.probe (policy, every, next_at, refusals, broken_since, fact)
     VALUES ('app', 900000, now(), 2, now(), $1)`,
    [
      {
        code: 'published-fails',
        params: {
          destination: 'files (primary)',
          login: published.user,
          server: 'db:5432',
          cause: { code: 'unexpected', params: { text: 'it is refused' } },
        },
      },
    ],
  );
  const told = await run('status');
  expect(told.code).toBe(1);
  expect(told.stdout).toMatch(/ broken /);
  // The remedy of credential-broken.
  expect(told.stdout).toContain('run: keyturn restore app');
  expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject([
    { state: 'broken', fault: { code: 'credential-broken' } },
  ]);
  expect(await run('restore', 'app', '--yes')).toMatchObject({ code: 0 });
  expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject([{ state: 'active' }]);
});

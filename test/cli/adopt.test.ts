import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { MAPPING } from '../support/scenario.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace;
let secrets: string;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  secrets = join(workspace.folder, 'secrets');
  await workspace.configure(filePolicy(workspace.logins));
  expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 0 });
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
const latest = async () => JSON.parse((await run('history', 'app', '--limit', '1', '--json')).stdout)[0];

async function stageOutside(): Promise<string> {
  const token = randomUUID();
  const store = openFileStore({ name: 'files', path: secrets });
  await store.stage(MAPPING, token, { username: 'theirs', password: 'of-theirs' }, { create: false });
  return token;
}

test('rotate and plan name the command that adopts, which says what it takes over and asks before it does', async () => {
  const token = await stageOutside();
  const found = `files (primary) has a pending version ${token} that this ledger does not know`;
  const remedy = 'keyturn rotate app --adopt';
  for (const args of [
    ['rotate', 'app', '--inline'],
    ['plan', 'app'],
  ]) {
    const { code, stdout } = await run(...args);
    expect(code).toBe(1);
    expect(stdout).toContain(found);
    expect(stdout).toContain(remedy);
  }
  const before = await latest();
  const asked = await run('rotate', 'app', '--inline', '--adopt');
  expect(asked).toMatchObject({ code: 2, stdout: '' });
  expect(asked.stderr).toContain(`app: ${found}; adopting that discards it`);
  expect(asked.stderr).toContain('taking over what was changed? Nobody is here to be asked; add --yes');
  expect(await latest()).toEqual(before);

  const adopted = await run('rotate', 'app', '--inline', '--adopt', '--yes');
  expect(adopted).toMatchObject({ code: 0, stdout: expect.stringContaining('is published') });
  expect(adopted.stderr).toContain(`app: ${found}`);
  expect(await latest()).toMatchObject({
    status: 'done',
    adopt: true,
    warnings: [{ step: 'check', text: expect.stringContaining(`adopted: ${found}`) }],
  });
  const history = (await run('history', 'app')).stdout;
  expect(history).toMatch(/manual, \S+, adopt /);
  expect(asked.stderr + adopted.stderr + history).not.toContain('of-theirs');
});

test('a username that was edited by hand is adopted, and the old login revoked', async () => {
  const [a, b] = workspace.logins;
  await rm(join(secrets, 'app', 'username'));
  await writeFile(join(secrets, 'app', 'username'), 'somebody\n');
  expect(await run('rotate', 'app', '--inline')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/"somebody", which is neither .*keyturn rotate app --adopt/),
  });
  expect(await run('rotate', 'app', '--inline', '--adopt', '--yes')).toMatchObject({ code: 0 });
  await using admin = await adminOf(inject('postgres'));
  const { rows } = await admin.client.query(
    'SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname = ANY ($1)',
    [[a, b]],
  );
  expect(rows).toEqual([{ rolname: b }]);
});

test('a deleted secret is told by status before the next rotation', async () => {
  await rm(join(secrets, 'app'), { recursive: true });
  const [row] = JSON.parse((await run('status', 'app', '--json')).stdout);
  expect(row).toMatchObject({
    active: null,
    lastError:
      'files (primary) publishes nothing any more; see what a rotation would do; run: keyturn plan app',
    fault: { code: 'publication-gone', params: { destination: 'files (primary)' } },
  });
  expect((await run('plan', 'app')).stdout).toMatch(/publishes nothing, .*keyturn rotate app --adopt/);
});

test('where there is nothing to adopt it says so, asks nothing, and what turns up later is not agreed to', async () => {
  const { code, stderr } = await run('rotate', 'app', '--inline', '--adopt');
  expect(code).toBe(0);
  expect(stderr).toContain('app: there is nothing to adopt, so this is a rotation like any other');
  expect(await latest()).toMatchObject({ status: 'done', adopt: false });
});

test('while a rotation is open it adopts nothing, and says which that is', async () => {
  const [{ rotation }] = JSON.parse((await run('rotate', 'app', '--json')).stdout);
  await stageOutside();
  const { code, stderr } = await run('rotate', 'app', '--adopt', '--yes');
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringContaining(`has a rotation open already (${rotation}, `),
  });
});

test.each([
  ['--all', ['--all']],
  ['two policies', ['app', 'other']],
])('with %s it is a usage error, for each is to be judged by itself', async (_what, names) => {
  const yaml = filePolicy(workspace.logins);
  const other = yaml
    .slice(yaml.indexOf('  app:'))
    .replace('  app:', '  other:')
    .replace(/logins: .*/, 'logins: [other_a, other_b]')
    .replaceAll('app/', 'other/');
  await workspace.configure(yaml + other);
  expect(await run('rotate', ...names, '--adopt', '--yes')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('With --adopt name one policy'),
  });
});

import { chmod, chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../../src/postgres/identifier.ts';
import { adminOf } from '../../support/admin.ts';
import { startAwsProxy } from '../../support/aws-proxy.ts';
import { cli, startCli } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins).replace('timeout: 5s', 'timeout: 60s'));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

async function plan(): Promise<{
  code: number | null;
  rotation: string | null;
  states: string[];
  text: string;
}> {
  const { code, stdout } = await run('plan', 'app', '--json');
  const [{ rotation, steps }] = JSON.parse(stdout);
  return {
    code,
    rotation,
    states: steps.map(({ step, state }: { step: string; state: string }) => `${step} ${state}`),
    text: steps.map(({ text }: { text: string }) => text).join('\n'),
  };
}

const AHEAD = [
  'check next',
  'stage then',
  'set then',
  'verify then',
  'publish then',
  'drain then',
  'revoke then',
];

test('on a new policy it names the login that would come in, and changes nothing', async () => {
  const [a, b] = workspace.logins;
  const { code, rotation, states, text } = await plan();
  expect({ code, rotation, states }).toEqual({ code: 0, rotation: null, states: AHEAD });
  expect(text).toContain(`${a} comes in, ${b} goes out`);
  expect(await plan()).toMatchObject({ states: AHEAD });
  expect(JSON.parse((await run('history', '--json')).stdout)).toEqual([]);
  await expect(readFile(join(workspace.folder, 'secrets', 'app', 'username'))).rejects.toThrow();
});

test('on an idle policy it names the other login, and who is logged in as the published one', async () => {
  const [a, b] = workspace.logins;
  await run('rotate', 'app', '--inline');
  const client = new pg.Client({
    connectionString: (await run('url', 'app')).stdout.trim(),
    application_name: 'shop',
  });
  await client.connect();
  const { states, text } = await plan();
  await client.end();
  expect(states).toEqual(AHEAD);
  expect(text).toContain(`${b} comes in, ${a} goes out`);
  expect(text).toContain(`until ${a} has no session (now: shop@127.0.0.1 (idle))`);
});

test('on a draining policy it says what is done and who is waited for', async () => {
  const [a] = workspace.logins;
  await run('rotate', 'app', '--inline');
  const client = new pg.Client({
    connectionString: (await run('url', 'app')).stdout.trim(),
    application_name: 'shop',
  });
  await client.connect();
  const rotating = startCli(['rotate', 'app', '--inline'], { cwd: workspace.folder });
  await rotating.says('drain waiting');
  const { rotation, states, text } = await plan();
  expect(rotation).toMatch(/^[0-9a-f-]{36}$/);
  expect(states).toEqual([
    'check done',
    'stage done',
    'set done',
    'verify done',
    'publish done',
    'drain next',
    'revoke then',
  ]);
  expect(text).toContain(`until ${a} has no session (now: shop@127.0.0.1 (idle)); in `);
  await client.end();
  expect(await rotating.exited).toBe(0);
});

test('it warns of what belongs to a login and not to an owner, as does the history once rotated', async () => {
  const [a] = workspace.logins;
  {
    await using admin = await adminOf(inject('postgres'), workspace.target);
    await admin.client.query(
      `CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO ${quoteIdentifier(a)}`,
    );
  }
  const warning = `${a} itself owns 1 object in database ${workspace.target} (table public.orders)`;
  const planned = await run('plan', 'app');
  expect(planned.code).toBe(0);
  expect(planned.stdout).toContain(`check warning: ${warning}`);
  const rotated = await run('rotate', 'app', '--inline');
  expect(rotated.stderr).toContain(`app: check warning: ${warning}`);
  expect((await run('history')).stdout).toContain(`: check warning: ${warning}`);
  expect(JSON.parse((await run('history', '--json')).stdout)).toMatchObject([
    { status: 'done', warnings: [{ step: 'check', text: expect.stringContaining(warning) }] },
  ]);
});

test('where a rotation would be refused it says so, with the remedy, and exits with 1', async () => {
  await workspace.configure(filePolicy([workspace.logins[0], 'missing one']));
  const { code, states, text } = await plan();
  expect({ code, states }).toEqual({ code: 1, states: ['check refused'] });
  expect(text).toContain('CREATE ROLE "missing one" NOLOGIN');
});

describe('where a destination cannot be published to, it says so before a rotation fails, and exits with 1:', () => {
  const secret = (name: string) => join(workspace.folder, 'secrets', 'app', name);
  const strict = () => filePolicy(workspace.logins).replace('create: true', 'create: false');
  const touch = (name: string, content = '') => writeFile(secret(name), content);

  async function expectAsPlanned(expected: { code: number }): Promise<void> {
    expect((await run('rotate', 'app', '--inline')).code).toBe(expected.code);
  }

  test('each file that is missing, until files made by hand, empty, are filled by the rotation', async () => {
    await workspace.configure(strict());
    const none = await plan();
    expect(none).toMatchObject({ code: 1, states: ['check refused'] });
    for (const name of ['username', 'password']) expect(none.text).toContain(`no secret ${secret(name)}`);
    expect(none.text).toContain('set create: true for the destination, or make it');
    await expectAsPlanned({ code: 1 });

    await mkdir(join(workspace.folder, 'secrets', 'app'), { recursive: true, mode: 0o700 });
    await touch('username');
    const one = await plan();
    expect(one).toMatchObject({ code: 1, states: ['check refused'] });
    expect(one.text).not.toContain(secret('username'));
    expect(one.text).toContain(`no secret ${secret('password')}`);

    await touch('password', '\n');
    expect(await plan()).toMatchObject({ code: 0, states: AHEAD });
    await expectAsPlanned({ code: 0 });
    await workspace.logIn();
  });

  test('a file of the username that is empty beside a password, which keyturn does not throw away unasked', async () => {
    await workspace.configure(strict());
    await mkdir(join(workspace.folder, 'secrets', 'app'), { recursive: true, mode: 0o700 });
    await touch('username');
    await touch('password', 'typed\n');
    const { code, text } = await plan();
    expect(code).toBe(1);
    expect(text).toContain('The secret of the published username is empty');
    await expectAsPlanned({ code: 1 });
    expect(await readFile(secret('password'), 'utf8')).toBe('typed\n');
  });

  test('a second destination, though nothing is wrong with the primary', async () => {
    await workspace.configure(
      `${filePolicy(workspace.logins)}      - { store: files, secrets: { username: mirror/username, password: mirror/password } }\n`,
    );
    const { code, text } = await plan();
    expect(code).toBe(1);
    expect(text).toContain(join(workspace.folder, 'secrets', 'mirror', 'password'));
    expect(text).not.toContain(secret('password'));
    await expectAsPlanned({ code: 1 });
    await expect(readFile(secret('username'))).rejects.toThrow();
  });

  test('a folder that this user may not write to', async () => {
    const folder = join(workspace.folder, 'secrets');
    await mkdir(folder, { mode: 0o500 });
    const as = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
    if (as) for (const path of [folder, workspace.folder]) await chown(path, as.uid, as.gid);
    const { code, stdout } = await cli(['plan', 'app'], { cwd: workspace.folder, as });
    expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining('EACCES') });
    expect(stdout).toContain('let the user that keyturn runs as read and write there');
    await chmod(folder, 0o700);
  });

  test.skipIf(inject('aws') === undefined)('secrets of AWS, and it writes nothing there', async () => {
    await using proxy = await startAwsProxy(String(inject('aws')));
    const client = new SecretsManagerClient({ region: 'eu-central-1', endpoint: String(inject('aws')) });
    const names = { user: uniqueName('plan'), password: uniqueName('plan') };
    await workspace.configure(
      strict()
        .replace(
          'type: file, path: secrets',
          `type: aws-secrets-manager, region: eu-central-1, endpoint: "${proxy.url}"`,
        )
        .replace('app/username', names.user)
        .replace('app/password', names.password),
    );
    const none = await plan();
    expect(none).toMatchObject({ code: 1, states: ['check refused'] });
    for (const name of Object.values(names)) expect(none.text).toContain(`no secret ${name}`);
    await client.send(new CreateSecretCommand({ Name: names.password }));
    const one = await plan();
    expect(one.code).toBe(1);
    expect(one.text).not.toContain(names.password);
    await client.send(new CreateSecretCommand({ Name: names.user }));
    expect(await plan()).toMatchObject({ code: 0, states: AHEAD });
    for (const name of Object.values(names)) {
      const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: name }));
      expect(VersionIdsToStages).toEqual({});
    }
    client.destroy();
    expect(new Set(proxy.actions)).toEqual(new Set(['GetSecretValue', 'DescribeSecret']));
    await expectAsPlanned({ code: 0 });
    // What has a value is known to exist.
    proxy.actions.length = 0;
    expect((await plan()).code).toBe(0);
    expect(new Set(proxy.actions)).toEqual(new Set(['GetSecretValue']));
    proxy.fail('deny');
    expect(await plan()).toMatchObject({ code: 1, states: ['check refused'] });
  });
});

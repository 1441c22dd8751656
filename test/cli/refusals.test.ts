import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { startPostgres } from '../support/postgres-server.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

const server = inject('postgres');
let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(server);
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });

/** Whether the logins are as they were made: shut, without a password. */
async function expectUntouched(): Promise<void> {
  await using admin = await adminOf(server);
  const { rows } = await admin.client.query(
    'SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = ANY ($1)',
    [workspace.logins],
  );
  expect(rows).toEqual([
    { rolcanlogin: false, rolpassword: null },
    { rolcanlogin: false, rolpassword: null },
  ]);
}

describe('a rotation that cannot be says why, and changes nothing (G5):', () => {
  test('no configuration', async () => {
    expect(await run('rotate', 'app', '--inline', '--config', 'nowhere.yaml')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('nowhere.yaml'),
    });
  });

  test('a configuration with several faults, each at its line and column', async () => {
    await workspace.configure(
      filePolicy([workspace.logins[0], workspace.logins[0]])
        .replace('drain:', 'drian:')
        .replace('path: secrets', `path: "\${UNSET_HERE}"`),
    );
    const { code, stderr } = await run('rotate', 'app', '--inline');
    expect(code).toBe(2);
    expect(stderr).toMatch(/config\/keyturn\.yaml:\d+:\d+ .*UNSET_HERE/);
    expect(stderr).toMatch(/config\/keyturn\.yaml:\d+:\d+ .*unknown key "drian"; did you mean "drain"\?/);
    await expectUntouched();
  });

  test('a rotator that may not alter logins', async () => {
    const rotator = uniqueName('rotator');
    await using admin = await adminOf(server);
    await admin.client.query(`CREATE ROLE ${rotator} LOGIN PASSWORD 'rotator'`);
    await workspace.configure(filePolicy(workspace.logins), {
      connection: { user: rotator, password: 'rotator' },
    });
    const { code, stdout, stderr } = await run('rotate', 'app', '--inline', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        status: 'failed',
        incoming: null,
        error: expect.stringContaining(
          `GRANT ${quoteIdentifier(workspace.logins[0])} TO ${rotator} WITH ADMIN OPTION`,
        ),
      },
    ]);
    expect(stderr).toContain('app: failed');
    await expectUntouched();
    await admin.client.query(`DROP ROLE ${rotator}`);
  });

  test.each([
    [
      'a wrong password of the rotator',
      { password: 'wrong' },
      /refused keyturn's own user .*password authentication failed.*roles rotator db --sql.*If it exists, /s,
    ],
    ['a database that does not exist', { database: 'nowhere' }, /"nowhere" does not exist; create it/],
    [
      'a server that wants no TLS though TLS is asked for',
      { tls: { mode: 'require' } },
      /the server has no TLS, and keyturn sends nothing in plaintext; turn it on there/,
    ],
  ])('%s', async (_name, connection, message) => {
    await workspace.configure(filePolicy(workspace.logins), { connection });
    const { code, stdout } = await run('rotate', 'app', '--inline', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)[0].error).toMatch(message);
    await expectUntouched();
  });

  test('a secret that does not exist, without create', async () => {
    await workspace.configure(filePolicy(workspace.logins).replace('create: true', 'create: false'));
    const { code, stdout } = await run('rotate', 'app', '--inline');
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringMatching(/app\/(username|password).*create: true/s),
    });
    await expectUntouched();
  });

  test('a store that cannot be written', async () => {
    // A file where the store wants a folder: refused for root as for anyone.
    await mkdir(join(workspace.folder, 'secrets'));
    await mkdir(join(workspace.folder, 'secrets', 'app', 'username'), { recursive: true });
    await workspace.configure(filePolicy(workspace.logins));
    expect(await run('rotate', 'app', '--inline')).toMatchObject({ code: 1 });
    await expectUntouched();
  });

  test('a standby server', async () => {
    await using standby = await startPostgres();
    await standby.demote();
    const { host, port, user, password } = standby;
    await workspace.configure(filePolicy(workspace.logins), {
      connection: { host, port, user, password, database: 'postgres' },
    });
    const { code, stdout } = await run('rotate', 'app', '--inline', '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([
      {
        status: 'failed',
        incoming: null,
        error: expect.stringMatching(/:\d+ is a standby server, .*point the connection at the primary/),
      },
    ]);
    expect(await readdir(workspace.folder)).not.toContain('secrets');
  });

  test('a published username that is neither login', async () => {
    const folder = join(workspace.folder, 'secrets', 'app');
    await mkdir(folder, { recursive: true });
    const published = { username: 'somebody', password: 'of their own' };
    for (const [name, content] of Object.entries(published)) await writeFile(join(folder, name), content);
    await workspace.configure(filePolicy(workspace.logins));
    const { code, stdout } = await run('rotate', 'app', '--inline');
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: expect.stringContaining(`"somebody", which is neither ${workspace.logins.join(' nor ')}`),
    });
    await expectUntouched();
    expect((await readdir(folder)).sort()).toEqual(['password', 'username']);
  });

  test('a rotation that is open already, and which', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    const queued = await run('rotate', 'app', '--json');
    expect(queued.code).toBe(0);
    const [{ rotation }] = JSON.parse(queued.stdout);
    const { code, stdout, stderr } = await run('rotate', 'app', '--json');
    expect({ code, reports: JSON.parse(stdout), stderr }).toEqual({
      code: 1,
      reports: [],
      stderr: expect.stringContaining(`has a rotation open already (${rotation}, requested `),
    });
    const history = JSON.parse((await run('history', '--json')).stdout);
    expect(history).toMatchObject([{ rotation, status: 'open', steps: [] }]);
    await expectUntouched();
  });
});

describe('a rotation whose AWS Secrets Manager', () => {
  const awsPolicy = (endpoint: string) =>
    filePolicy(workspace.logins)
      .replace(
        'files: { type: file',
        `aws: { type: aws-secrets-manager, region: eu-central-1, endpoint: "${endpoint}" }, files: { type: file`,
      )
      .replace('store: files', 'store: aws')
      .replace('connection: db', 'connection: db\n    retryFor: 5s');
  const env = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

  async function refused(endpoint: string): Promise<string> {
    await workspace.configure(awsPolicy(endpoint));
    const { code, stdout } = await keyturn(['rotate', 'app', '--inline', '--json'], {
      cwd: workspace.folder,
      env,
    });
    const [report] = JSON.parse(stdout);
    expect({ code, report }).toMatchObject({
      code: 1,
      report: { status: 'failed', incoming: null, steps: [{ name: 'check', ms: null }] },
    });
    await expectUntouched();
    return report.error;
  }

  test('cannot be reached is tried again for some seconds, then fails and has changed nothing (G5)', async () => {
    expect(await refused('http://127.0.0.1:1')).toMatch(
      /ECONNREFUSED.*check the network and the address of the store/,
    );
  });

  test('denies access fails at once, names the IAM action, and has changed nothing (G5)', async () => {
    const asked: string[] = [];
    const service = createServer((request, response) => {
      asked.push(String(request.headers['x-amz-target']));
      response
        .writeHead(400, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify({ __type: 'AccessDeniedException', message: 'not allowed' }));
    }).listen(0, '127.0.0.1');
    await new Promise((listening) => service.once('listening', listening));
    const { port } = service.address() as AddressInfo;
    const error = await refused(`http://127.0.0.1:${port}`);
    service.closeAllConnections();
    await new Promise((closed) => service.close(closed));
    expect(error).toMatch(/app\/(username|password).*allow secretsmanager:GetSecretValue/);
    expect(asked.filter((action) => !/\.(GetSecretValue|DescribeSecret)$/.test(action))).toEqual([]);
    expect(asked).toContain('secretsmanager.GetSecretValue');
  });
});

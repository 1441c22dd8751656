import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import { startAwsProxy } from '../support/aws-proxy.ts';
import { keyturn } from '../support/keyturn.ts';
import { uniqueName } from '../support/unique-name.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const doctor = (...args: string[]) => keyturn(['doctor', ...args], { cwd: workspace.folder });

async function findings() {
  const { code, stdout } = await doctor('--json');
  const all: {
    policy: string | null;
    about: string;
    level: string;
    code: string;
    params: object;
    text: string;
    remedy: string | null;
    sql: string[];
  }[] = JSON.parse(stdout);
  return { code, all, of: (about: string) => all.filter((finding) => finding.about === about) };
}

test('it prints what it found by connection and policy, the remedy below, and no password (G3)', async () => {
  await workspace.configure(filePolicy(workspace.logins));
  expect(await keyturn(['rotate', 'app', '--inline'], { cwd: workspace.folder })).toMatchObject({ code: 0 });
  const { code, stdout, stderr } = await doctor('app');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(
    /^keyturn\n {2}ok .*\n {2}warn {2}state +every login .*\n +run: REVOKE CONNECT ON DATABASE "\w+" FROM PUBLIC\n {2}warn {2}queue +no worker is running.*\n +start one\n +run: keyturn start\n/,
  );
  expect(stdout).toMatch(/\nconnection db\n {2}ok +server +PostgreSQL \d+\.\d+ at /);
  expect(stdout).toMatch(/\napp\n {2}ok +logins +both are there/);
  expect(stdout).toMatch(/\n0 failures, 3 warnings, 0 checks skipped\n$/);
  expect(stdout).not.toContain((await workspace.published()).password);

  const login = quoteIdentifier(workspace.logins[0]);
  await using admin = await adminOf(inject('postgres'));
  await admin.client.query(`ALTER ROLE ${login} CREATEDB CONNECTION LIMIT 9`);
  const { stdout: broken } = await doctor('app');
  expect(broken).toMatch(/\n +run: ALTER ROLE \S+ CREATEDB\n +run: ALTER ROLE \S+ CONNECTION LIMIT -1\n/);
  const [found] = (await findings()).of('logins');
  expect(found).toMatchObject({
    code: 'logins-differ',
    remedy: null,
    sql: [expect.stringMatching(/CREATEDB$/), expect.stringMatching(/LIMIT -1$/)],
  });
  expect(await doctor('ap')).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean app?') });
});

test('what policies share is looked at once, and a server that is down keeps nothing else from being looked at', async () => {
  const policies = Array.from(
    { length: 30 },
    (_, index) => `  p${index}:
    connection: db
    logins: [p${index}_a, p${index}_b]
    publish: [{ store: files, create: true, secrets: { username: p${index}/username, password: p${index}/password } }]
`,
  );
  await workspace.configure(
    `stores: { files: { type: file, path: secrets } }\npolicies:\n${policies.join('')}`,
    {
      connection: { port: 1 },
    },
  );
  const { code, all, of } = await findings();
  expect(code).toBe(1);
  expect(all.filter(({ level }) => level === 'fail')).toMatchObject([
    { policy: null, connection: 'db', about: 'server' },
  ]);
  expect(of('logins').map(({ level }) => level)).toEqual(policies.map(() => 'skip'));
  expect(of('store')).toHaveLength(30);
});

test('a state database that is down keeps nothing else from being looked at', async () => {
  const { host, port, user, password } = inject('postgres');
  const connection = { host, port, user, password, database: workspace.target };
  await writeFile(
    join(workspace.folder, 'config', 'keyturn.yaml'),
    `state: { database: "postgresql://nobody:hidden@127.0.0.1:1/keyturn" }
connections: { db: ${JSON.stringify(connection).replaceAll('${', () => '$${')} }
${filePolicy(workspace.logins)}`,
  );
  const { code, all, of } = await findings();
  expect(code).toBe(1);
  expect(all.filter(({ level }) => level === 'fail')).toMatchObject([
    {
      about: 'state',
      code: 'state-database-fails',
      params: {
        cause: {
          code: 'server-unreachable',
          params: { detail: expect.stringContaining('ECONNREFUSED') },
        },
      },
    },
  ]);
  expect(of('logins')).toMatchObject([{ level: 'ok' }]);
  expect(of('sessions')).toMatchObject([{ level: 'skip' }]);
  expect(JSON.stringify(all)).not.toContain('hidden');
});

test('a queue that is down is found', async () => {
  await workspace.configure(filePolicy(workspace.logins), { redis: 'redis://127.0.0.1:1' });
  const { code, of } = await findings();
  expect(code).toBe(1);
  expect(of('queue')).toMatchObject([
    { level: 'fail', code: 'queue-unreachable', params: { server: '127.0.0.1:1', tls: false } },
  ]);
});

describe.skipIf(inject('aws') === undefined)('Of AWS Secrets Manager', () => {
  test('it finds what is denied, deleted or not there, and touches no stage of what is', async () => {
    await using proxy = await startAwsProxy(String(inject('aws')));
    const client = new SecretsManagerClient({ region: 'eu-central-1', endpoint: String(inject('aws')) });
    const secret = uniqueName('app');
    const configure = (create: boolean) =>
      workspace.configure(
        filePolicy(workspace.logins)
          .replace(
            'type: file, path: secrets',
            `type: aws-secrets-manager, region: eu-central-1, endpoint: "${proxy.url}"`,
          )
          .replace('create: true', `create: ${create}`)
          .replaceAll('app/', `${secret}#`),
      );
    await configure(false);
    const store = async () => (await findings()).of('store');
    expect(await store()).toMatchObject([{ level: 'fail', code: 'secret-missing', params: { secret } }]);
    await configure(true);
    expect(await store()).toMatchObject([{ level: 'skip' }]);
    await expect(client.send(new DescribeSecretCommand({ SecretId: secret }))).rejects.toThrow();

    await client.send(new CreateSecretCommand({ Name: secret, SecretString: '{"theirs":1}' }));
    const stages = async () =>
      Object.values(
        (await client.send(new DescribeSecretCommand({ SecretId: secret }))).VersionIdsToStages ?? {},
      ).filter(({ length }) => length > 0);
    const found = await findings();
    expect(found.of('store')).toMatchObject([{ level: 'ok' }]);
    expect(found.of('grace')).toMatchObject([
      {
        level: 'warn',
        code: 'grace-shorter-than-cache',
        params: { policy: 'app' },
      },
    ]);
    expect(await stages()).toEqual([['AWSCURRENT']]);

    proxy.fail('deny');
    expect(await store()).toMatchObject([
      { level: 'fail', code: 'store-denied', params: { action: expect.any(String), secret } },
    ]);
    proxy.mend();
    expect(await store()).toMatchObject([{ level: 'ok' }]);

    await client.send(new DeleteSecretCommand({ SecretId: secret }));
    expect(await store()).toMatchObject([{ level: 'fail', code: 'secret-deleted', params: { secret } }]);
    await client.send(new RestoreSecretCommand({ SecretId: secret }));
    expect(await store()).toMatchObject([{ level: 'ok' }]);
    client.destroy();
  });
});

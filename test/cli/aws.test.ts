import {
  CreateSecretCommand,
  GetSecretValueCommand,
  type GetSecretValueCommandOutput,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { uniqueName } from '../support/unique-name.ts';
import { openWorkspace, type Workspace } from '../support/workspace.ts';

const server = inject('postgres');
const endpoint = inject('aws');
const region = 'eu-central-1';

describe.skipIf(endpoint === undefined)('keyturn rotate with AWS Secrets Manager', () => {
  let workspace: Workspace;
  let client: SecretsManagerClient;
  let prefix: string;
  beforeEach(async () => {
    workspace = await openWorkspace(server);
    client = new SecretsManagerClient({ region, ...(endpoint ? { endpoint } : {}) });
    prefix = uniqueName('prod');
  });
  afterEach(async () => {
    client.destroy();
    await workspace[Symbol.asyncDispose]();
  });

  /** A policy with two secrets as its primary, and a JSON secret beside them. */
  const policy = () => `stores:
  aws: { type: aws-secrets-manager, region: ${region}, endpoint: ${JSON.stringify(endpoint)} }
policies:
  app:
    connection: db
    logins: ${JSON.stringify(workspace.logins)}
    drain: { grace: 0s, timeout: 5s }
    publish:
      - store: aws
        create: true
        secrets: { username: ${prefix}/username, password: ${prefix}/password }
      - store: aws
        create: true
        secrets:
          engine: ${prefix}/db#engine
          host: ${prefix}/db#host
          port: ${prefix}/db#port
          database: ${prefix}/db#dbname
          username: ${prefix}/db#username
          password: ${prefix}/db#password
          url: ${prefix}/db#url
`;

  async function rotate(): Promise<{ rotation: string; incoming: string }> {
    const { code, stdout } = await cli(['rotate', 'app', '--inline', '--json'], { cwd: workspace.folder });
    const [report] = JSON.parse(stdout);
    expect({ code, status: report.status, error: report.error }).toEqual({
      code: 0,
      status: 'done',
      error: null,
    });
    return report;
  }

  function read(name: string): Promise<GetSecretValueCommandOutput> {
    return client.send(
      new GetSecretValueCommand({ SecretId: `${prefix}/${name}`, VersionStage: 'AWSCURRENT' }),
    );
  }

  async function readPair(): Promise<{ user: string; password: string; versions: unknown[] }> {
    const [username, password] = await Promise.all([read('username'), read('password')]);
    return {
      user: String(username.SecretString),
      password: String(password.SecretString),
      versions: [username.VersionId, password.VersionId],
    };
  }

  /** Who one is after logging in so; the SQLSTATE where one is refused. */
  async function logIn(config: pg.ClientConfig): Promise<string> {
    const client = new pg.Client(config);
    try {
      await client.connect();
      return (await client.query('SELECT current_user AS name')).rows[0].name;
    } catch (error) {
      return String((error as { code?: string }).code);
    } finally {
      await client.end();
    }
  }

  const target = () => ({ host: server.host, port: server.port, database: workspace.target });

  test('what is AWSCURRENT logs in, the secrets of a destination share the rotation as VersionId, and four rotations alternate (G1, G2)', async () => {
    await workspace.configure(policy());
    const [a, b] = workspace.logins;
    let before: { user: string; password: string } | undefined;
    for (const expected of [a, b, a, b]) {
      const { rotation, incoming } = await rotate();
      const { user, password, versions } = await readPair();
      expect({ user, incoming, versions }).toEqual({
        user: expected,
        incoming: expected,
        versions: [rotation, rotation],
      });
      expect(await logIn({ ...target(), user, password })).toBe(user);
      // A refused login says so by either state: 28P01 where it has no password, 28000 where it may not log in.
      if (before) expect(await logIn({ ...target(), ...before })).toMatch(/^28/);
      before = { user, password };

      const json = await read('db');
      const { url, ...fields } = JSON.parse(String(json.SecretString));
      expect(json.VersionId).toBe(rotation);
      expect({ ...fields, password: fields.password === password }).toEqual({
        engine: 'postgres',
        host: server.host,
        port: server.port,
        dbname: workspace.target,
        username: user,
        password: true,
      });
      expect(await logIn({ connectionString: url })).toBe(user);
    }
  });

  test('keys that someone else keeps in the JSON secret stay as they are', async () => {
    const others = {
      note: 'kept by hand',
      pool: { size: 7 },
      tags: ['x', null],
      port: 1,
      username: 'nobody',
    };
    await client.send(
      new CreateSecretCommand({ Name: `${prefix}/db`, SecretString: JSON.stringify(others) }),
    );
    await workspace.configure(policy());
    for (let round = 0; round < 2; round += 1) {
      await rotate();
      const { note, pool, tags, port, username } = JSON.parse(String((await read('db')).SecretString));
      expect({ note, pool, tags, port, username }).toEqual({
        note: others.note,
        pool: others.pool,
        tags: others.tags,
        port: server.port,
        username: workspace.logins[round],
      });
    }
  });

  test('a command with AWS prints no warning of the SDK on stderr, and the warnings of others stay', async () => {
    await workspace.configure(policy());
    const options = { cwd: workspace.folder };
    const ownWords =
      'keyturn: no worker is running, so nothing rotates by itself; start one; run: keyturn start\n';
    const rotated = await cli(['rotate', 'app', '--inline', '--json'], options);
    expect(rotated.code).toBe(0);
    for (const line of rotated.stderr.trimEnd().split('\n')) expect(line).toMatch(/^app: /);
    for (const command of [['status'], ['plan', 'app'], ['url', 'app'], ['doctor', 'app', '--json']]) {
      const { code, stderr } = await cli(command, options);
      expect({ command, code, stderr }).toEqual({
        command,
        code: 0,
        stderr: command[0] === 'status' ? ownWords : '',
      });
    }
    const other = "--import=data:text/javascript,process.emitWarning('of%20another')";
    const { stderr } = await cli(['url', 'app'], { ...options, env: { NODE_OPTIONS: other } });
    expect(stderr).toContain('of another');
    expect(stderr).not.toContain('AWS');
  });
});

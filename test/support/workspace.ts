import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from './admin.ts';
import type { ServerAddress } from './scenario.ts';
import { uniqueName } from './unique-name.ts';

/** A login as it was published. */
export interface Account {
  readonly user: string;
  readonly password: string;
}

/** A folder with a configuration, and on a test server a target database with two logins and a state database. */
export interface Workspace extends AsyncDisposable {
  readonly folder: string;
  readonly target: string;
  readonly state: string;
  readonly logins: readonly [string, string];
  /** URLs of the two databases, with the server's superuser. */
  readonly targetUrl: string;
  readonly stateUrl: string;
  /** Writes config/keyturn.yaml: the head with state and connection `db`, then what is given. */
  configure(
    yaml: string,
    options?: {
      /** A URL, or the mapping of sentinels or a cluster. */
      readonly redis?: unknown;
      readonly connection?: Readonly<Record<string, unknown>>;
      /** Another URL of the state database. */
      readonly state?: string;
    },
  ): Promise<void>;
  /** What a `filePolicy` publishes now, both of one version. */
  published(): Promise<Account>;
  /** A session in the target database. */
  connect(account: Account): Promise<pg.Client>;
  /** Throws unless the account, by default the published one, logs in. */
  logIn(account?: Account): Promise<void>;
}

export async function openWorkspace(
  server: ServerAddress,
  names: { readonly logins?: [string, string]; readonly target?: string } = {},
): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), 'keyturn-workspace-'));
  await mkdir(join(folder, 'config'));
  const target = names.target ?? uniqueName('target');
  const state = uniqueName('state');
  const logins = names.logins ?? ([uniqueName('login_a'), uniqueName('login_b')] as [string, string]);
  const admin = await adminOf(server);
  for (const name of [target, state]) await admin.client.query(`CREATE DATABASE ${quoteIdentifier(name)}`);
  for (const name of logins) await admin.client.query(`CREATE ROLE ${quoteIdentifier(name)} NOLOGIN`);
  const url = (database: string) =>
    `postgresql://${[server.user, server.password].map(encodeURIComponent).join(':')}@${server.host}:${server.port}/${encodeURIComponent(database)}`;
  const workspace: Workspace = {
    folder,
    target,
    state,
    logins,
    targetUrl: url(target),
    stateUrl: url(state),
    async configure(yaml, { redis, connection: change = {}, state: stateUrl = url(state) } = {}) {
      const connection = {
        host: server.host,
        port: server.port,
        database: target,
        user: server.user,
        password: server.password,
        ...change,
      };
      const head = [
        `state: { database: ${JSON.stringify(stateUrl)} }`,
        ...(redis === undefined ? [] : [`queue: { redis: ${JSON.stringify(redis)} }`]),
        // JSON is YAML, and every name survives in it. A dollar sign would begin an interpolation.
        `connections: { db: ${JSON.stringify(connection).replaceAll('${', () => '$${')} }`,
      ].join('\n');
      await writeFile(join(folder, 'config', 'keyturn.yaml'), `${head}\n${yaml}`);
    },
    async published() {
      // Resolved once, as a reader must who wants both from the same version.
      const version = await realpath(join(folder, 'secrets', 'app', '..data'));
      const [user = '', password = ''] = await Promise.all(
        ['username', 'password'].map((name) => readFile(join(version, name), 'utf8')),
      );
      return { user, password };
    },
    async connect(account) {
      const { host, port } = server;
      const client = new pg.Client({ host, port, database: target, ...account });
      client.on('error', () => {});
      await client.connect().catch(async (error) => {
        await client.end().catch(() => {});
        throw error;
      });
      return client;
    },
    async logIn(account) {
      await (await workspace.connect(account ?? (await workspace.published()))).end();
    },
    async [Symbol.asyncDispose]() {
      for (const name of [target, state]) {
        await admin.client.query(`DROP DATABASE ${quoteIdentifier(name)} WITH (FORCE)`);
      }
      for (const name of logins) {
        await admin.client.query(`DROP ROLE IF EXISTS ${quoteIdentifier(name)}`);
      }
      await admin[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return workspace;
}

/** A policy `app` that publishes to a file store in the workspace. */
export function filePolicy(logins: readonly [string, string], extra = ''): string {
  return `stores: { files: { type: file, path: secrets } }
policies:
  app:
    connection: db
    logins: ${JSON.stringify(logins)}
    drain: { grace: 0s, timeout: 5s }
${extra}    publish:
      - { store: files, create: true, secrets: { username: app/username, password: app/password } }
`;
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { closeAll } from '../../src/close-all.ts';
import type { Mapping } from '../../src/config/policy.ts';
import type { QueueBackend } from '../../src/queue/queue-backend.ts';
import { adminOf } from '../support/admin.ts';
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts';
import { type Service, startRedis } from '../support/redis-server.ts';
import { openWorkspace, type Workspace } from '../support/workspace.ts';
import { serverOptions } from './options.ts';

/** The password of the rotator, of the owner of the state database, and of every login at first. */
export const PASSWORD = 'a-password-of-the-benchmark';
export const ROTATOR = 'bench_rotator';
/** Owns the state database. Sessions of keyturn there are its own, ours are the superuser's. */
const KEEPER = 'bench_keeper';

export const BACKENDS = ['PostgreSQL', 'Redis'] as const;
export type Backend = (typeof BACKENDS)[number];

const PER_FILE = 10_000;

export const NO_DRAIN = 'drain: { grace: 0s, timeout: 10s }';

/** Servers and a folder of a part's own. */
export interface Place extends AsyncDisposable {
  /** Where the logins are, and the state database too, unless it was asked for elsewhere. */
  readonly target: PostgresServer;
  readonly workspace: Workspace;
  /** The state database as keyturn is configured to reach it. */
  readonly stateUrl: string;
  readonly queue: QueueBackend;
  /** A superuser's session on the target's server, outside of the target database. */
  readonly admin: pg.Client;
  /** A superuser's sessions in the state database. */
  readonly state: pg.Pool;
  readonly policies: readonly string[];
  /** Writes the configuration: the policies, each with these lines. */
  configure(extra: string): Promise<void>;
}

export interface PlaceOptions {
  readonly policies: number;
  /** How many databases the logins are for, each with a connection; left out: one. */
  readonly databases?: number;
  readonly backend?: Backend;
  readonly settings?: Readonly<Record<string, string>>;
  /** Settings of another server, which has the target. */
  readonly targetSettings?: Readonly<Record<string, string>>;
}

export const loginsOf = (policy: string): [string, string] => {
  const login = policy.replaceAll('-', '_');
  return [`${login}_a`, `${login}_b`];
};

export const mappingOf = (policy: string): Mapping => ({
  username: { secret: `${policy}/username` },
  password: { secret: `${policy}/password` },
});

export async function openPlace(options: PlaceOptions): Promise<Place> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = () => closeAll(closers.splice(0).toReversed());
  try {
    return { ...(await open(options, closers)), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  { policies: count, databases = 1, backend, settings, targetSettings }: PlaceOptions,
  closers: (() => Promise<unknown>)[],
): Promise<Omit<Place, typeof Symbol.asyncDispose>> {
  const keep = <Part extends AsyncDisposable>(part: Part): Part => {
    closers.push(async () => part[Symbol.asyncDispose]());
    return part;
  };
  const server = keep(await startPostgres(serverOptions(settings)));
  const target = targetSettings ? keep(await startPostgres(serverOptions(targetSettings))) : server;
  const redis = backend === 'Redis' ? keep(await ownRedis()) : undefined;
  const workspace = keep(await openWorkspace(server));
  const { client: admin } = keep(await adminOf(target));
  const state = new pg.Pool({ connectionString: workspace.stateUrl, max: 4 });
  state.on('error', () => {});
  closers.push(() => state.end());
  await makeRoles({ admin, state, workspace, isApart: target !== server });

  const policies = Array.from({ length: count }, (_, index) => `policy-${index}`);
  const others = Array.from({ length: databases - 1 }, (_, index) => `${workspace.target}_${index + 1}`);
  for (const database of others) await admin.query(`CREATE DATABASE ${database}`);
  const { host, port } = target;
  const keeper = { host: server.host, port: server.port, user: KEEPER, password: PASSWORD };
  const stateUrl = `postgresql://${KEEPER}:${PASSWORD}@${server.host}:${server.port}/${workspace.state}`;
  return {
    ...{ target, workspace, admin, state, policies, stateUrl },
    queue: redis
      ? { redis: redis.url }
      : { database: { ...keeper, database: workspace.state, tls: { mode: 'disable' } } },
    async configure(extra) {
      const [first = '', ...more] = policyFiles(policies, extra, databases);
      await workspace.configure(`stores: { files: { type: file, path: secrets } }\n${first}`, {
        state: stateUrl,
        connection: { host, port, user: ROTATOR, password: PASSWORD },
        ...(redis ? { redis: redis.url } : {}),
      });
      const files = [
        ...more,
        ...others.map((database, index) => connectionText(index + 1, { host, port, database })),
      ];
      for (const [index, text] of files.entries()) {
        await writeFile(join(workspace.folder, 'config', `more-${index}.yaml`), text);
      }
    },
  };
}

/** As people do who have very many: several files. */
function policyFiles(policies: readonly string[], extra: string, databases: number): string[] {
  const files: string[] = [];
  for (let from = 0; from < policies.length; from += PER_FILE) {
    const texts = policies
      .slice(from, from + PER_FILE)
      .map((name, index) => policyText(name, { extra, connection: connectionName(index % databases) }));
    files.push(`policies:\n${texts.join('')}`);
  }
  return files;
}

/** One that nobody else uses, even where the tests are given another. */
async function ownRedis(): Promise<Service> {
  delete process.env.KEYTURN_TEST_REDIS_URL;
  const redis = await startRedis();
  if (!redis) throw new Error('there is no redis-server on PATH');
  return redis;
}

/** The rotator has the rights that keyturn asks for and no other. */
async function makeRoles({
  admin,
  state,
  workspace,
  isApart,
}: Pick<Place, 'admin' | 'state' | 'workspace'> & { readonly isApart: boolean }): Promise<void> {
  await admin.query(`CREATE ROLE ${ROTATOR} LOGIN CREATEROLE PASSWORD '${PASSWORD}'`);
  await admin.query(`GRANT pg_read_all_stats, pg_signal_backend TO ${ROTATOR}`);
  await admin.query('CREATE EXTENSION pg_stat_statements SCHEMA public');
  if (isApart) await admin.query(`CREATE DATABASE ${workspace.target}`);
  await state.query(`CREATE ROLE ${KEEPER} LOGIN PASSWORD '${PASSWORD}'`);
  await state.query(`ALTER DATABASE ${workspace.state} OWNER TO ${KEEPER}`);
  await state.query('CREATE EXTENSION pg_stat_statements SCHEMA public');
}

/** The first is the workspace's own. */
const connectionName = (index: number) => (index === 0 ? 'db' : `db-${index}`);

function connectionText(
  index: number,
  { host, port, database }: { readonly host: string; readonly port: number; readonly database: string },
): string {
  return `connections:
  ${connectionName(index)}: { host: ${host}, port: ${port}, database: ${database}, user: ${ROTATOR}, password: ${PASSWORD} }
`;
}

function policyText(
  name: string,
  { extra, connection }: { readonly extra: string; readonly connection: string },
): string {
  return `  ${name}:
    connection: ${connection}
    logins: ${JSON.stringify(loginsOf(name))}
    ${extra}
    publish: [{ store: files, create: true, secrets: { username: ${name}/username, password: ${name}/password } }]
`;
}

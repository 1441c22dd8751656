import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { quoteIdentifier, quoteLiteral } from '../src/postgres/identifier.ts';
import { adminOf } from './support/admin.ts';
import { keyturn } from './support/keyturn.ts';
import { type PostgresServer, startPostgres } from './support/postgres-server.ts';

// No engine runs containers here. What the file puts into them can run all the same: the script that
// prepares PostgreSQL, and the configuration of the worker, with other addresses.

const ROOT = resolve(import.meta.dirname, '..');
const aws = inject('aws');
const redis = inject('redis');

interface Compose {
  readonly services: Readonly<Record<string, { readonly image?: string; readonly command?: string[] }>>;
  readonly configs: Readonly<Record<'roles' | 'keyturn', { readonly content: string }>>;
}

describe.skipIf(aws === undefined || redis === undefined)('docker-compose.yml', () => {
  let folder: string;
  let server: PostgresServer;
  let compose: Compose;

  /** What a container gets: Compose turns two dollar signs into one. Secrets are files of this test. */
  const content = (name: 'roles' | 'keyturn') =>
    compose.configs[name].content.replaceAll('$$', () => '$').replaceAll('/run/secrets/', `${folder}/`);

  /** The image names its superuser postgres; keyturn is the rotator there. */
  const superuser = () => ({ ...server, user: 'postgres' });
  async function nameSuperuser(): Promise<void> {
    await using first = await adminOf(server);
    await first.client.query(`CREATE ROLE second SUPERUSER LOGIN PASSWORD ${quoteLiteral(server.password)}`);
    await using second = await adminOf({ ...server, user: 'second' });
    await first[Symbol.asyncDispose]();
    await second.client.query(`ALTER ROLE ${quoteIdentifier(server.user)} RENAME TO postgres`);
    await using admin = await adminOf(superuser());
    await second[Symbol.asyncDispose]();
    await admin.client.query('DROP ROLE second');
  }

  beforeAll(async () => {
    compose = parse(await readFile(join(ROOT, 'docker-compose.yml'), 'utf8'));
    folder = await mkdtemp(join(tmpdir(), 'keyturn-compose-'));
    server = await startPostgres({ settings: { reserved_connections: '3' } });
    await nameSuperuser();
    {
      await using admin = await adminOf(superuser());
      await admin.client.query('CREATE DATABASE orders');
      for (const name of ['rotator', 'state']) {
        await writeFile(join(folder, `${name}-password`), `${name}-of-the-test\n`);
        // The server reads these itself, so they must be where its user may look.
        const file = join(server.server.data, `${name}-password`);
        await admin.client.query(`COPY (SELECT '${name}-of-the-test') TO ${quoteLiteral(file)}`);
      }
    }
    await using orders = await adminOf(superuser(), 'orders');
    const script = content('roles').replaceAll(`${folder}/`, `${server.server.data}/`);
    // psql sends statement by statement. Together they would be a transaction, where CREATE DATABASE is refused.
    for (const part of script.split(/(CREATE DATABASE [^;]*;)/)) await orders.client.query(part);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('keyturn rotates with what the script grants, and doctor finds nothing that stops it', async () => {
    const config = content('keyturn')
      .replace('@postgres/', `@${server.host}:${server.port}/`)
      .replace('host: postgres', `host: ${server.host}\n    port: ${server.port}`)
      .replace('redis://redis:6379', redis ?? '')
      .replace('http://aws:5000', aws ?? '')
      .replace('schedule:', 'drain: { grace: 0s, timeout: 5s }\n    schedule:');
    await writeFile(join(folder, 'keyturn.yaml'), config);
    const run = (...args: string[]) =>
      keyturn([...args, '--config', join(folder, 'keyturn.yaml')], { cwd: folder });
    for (const incoming of ['orders_a', 'orders_b']) {
      const { code, stdout, stderr } = await run('rotate', 'orders-api', '--inline', '--json');
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.anything() });
      expect(JSON.parse(stdout)[0]).toMatchObject({ status: 'done', incoming });
    }
    const { stdout } = await run('doctor', '--json');
    expect(JSON.parse(stdout).filter(({ state }: { state: string }) => state === 'fail')).toEqual([]);
  });

  test('no login of keyturn or of an application is a superuser or owns the database that it uses', async () => {
    await using admin = await adminOf(superuser());
    const { rows: superusers } = await admin.client.query(
      'SELECT rolname FROM pg_catalog.pg_roles WHERE rolsuper ORDER BY 1',
    );
    expect(superusers).toEqual([{ rolname: 'postgres' }]);
    const { rows: databases } = await admin.client.query(
      `SELECT datname AS name, datdba::pg_catalog.regrole::text AS owner,
              pg_catalog.has_database_privilege('orders_a', oid, 'CONNECT') AS "application",
              pg_catalog.has_database_privilege('keyturn', oid, 'CONNECT') AS rotator
         FROM pg_catalog.pg_database WHERE datname IN ('orders', 'keyturn') ORDER BY 1`,
    );
    expect(databases).toEqual([
      { name: 'keyturn', owner: 'keyturn_state', application: false, rotator: false },
      { name: 'orders', owner: 'postgres', application: true, rotator: true },
    ]);
  });

  test('each image that runs in production is pinned', async () => {
    expect(compose.services.postgres?.image).toMatch(/@sha256:[0-9a-f]{64}$/);
    const dockerfile = await readFile(join(ROOT, 'Dockerfile'), 'utf8');
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(bases.length).toBeGreaterThan(0);
    for (const image of bases) expect(image).toMatch(/@sha256:[0-9a-f]{64}$/);
  });
});

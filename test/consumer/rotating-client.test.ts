import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from 'vitest';
import { type Credentials, openCredentials } from '../../src/consumer/credentials.ts';
import { rotatingClient } from '../../src/consumer/rotating-client.ts';
import type { ReadCredential } from '../../src/consumer/source.ts';
import { quoteIdentifier } from '../../src/postgres/identifier.ts';
import { adminOf } from '../support/admin.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { uniqueName } from '../support/unique-name.ts';

const NEVER = 3_600_000;
const server = inject('postgres');
const published = { username: uniqueName('app'), password: 'published' };
const revoked = { username: uniqueName('app'), password: 'revoked' };
const wrong = { ...published, password: 'wrong' };

beforeAll(async () => {
  await using admin = await adminOf(server);
  for (const [{ username, password }, login] of [
    [published, 'LOGIN'],
    [revoked, 'NOLOGIN'],
  ] as const) {
    await admin.client.query(`CREATE ROLE ${quoteIdentifier(username)} ${login} PASSWORD '${password}'`);
  }
});
afterAll(async () => {
  await using admin = await adminOf(server);
  for (const { username } of [published, revoked])
    await admin.client.query(`DROP ROLE ${quoteIdentifier(username)}`);
});

/** Credentials that give one after the other, and then the last. */
function giving(...given: (ReadCredential | Promise<ReadCredential>)[]) {
  const source = { reads: 0 };
  const read = async () => {
    source.reads += 1;
    return (await given[Math.min(source.reads, given.length) - 1]) as ReadCredential;
  };
  const credentials = openCredentials({ type: 'custom', read }, { refreshEvery: NEVER });
  onTestFinished(() => credentials.close());
  return { credentials, source };
}

/** A way to the server that counts connections. */
async function way() {
  const proxy = await startTcpProxy({ ...server, record: true });
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return { proxy, options: { host: '127.0.0.1', port: proxy.port, database: 'postgres' } };
}

function poolOf(credentials: Credentials, options: pg.PoolConfig): pg.Pool {
  // pg's types leave out the option `Client`.
  const pool = new pg.Pool({ ...options, Client: rotatingClient(credentials) } as pg.PoolConfig);
  onTestFinished(() => pool.end());
  return pool;
}

function deferred<Value>() {
  let resolve: (value: Value) => void = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

const WHO = 'SELECT current_user AS name';

test.each([
  ['a wrong password (28P01)', wrong],
  ['a login that may not log in (28000)', revoked],
])('after %s the source is read once more, and the connection is tried once more', async (_, refused) => {
  const { credentials, source } = giving(refused, published);
  const { proxy, options } = await way();
  const { rows } = await poolOf(credentials, options).query(WHO);
  expect(rows).toEqual([{ name: published.username }]);
  expect(source.reads).toBe(2);
  expect(proxy.recordings).toHaveLength(2);
});

test('a login that stays refused fails after two connections, with the error of the server', async () => {
  const { credentials, source } = giving(wrong);
  const { proxy, options } = await way();
  const pool = poolOf(credentials, options);
  await expect(pool.query(WHO)).rejects.toMatchObject({ code: '28P01' });
  expect(source.reads).toBe(2);
  expect(proxy.recordings).toHaveLength(2);
  expect(pool.totalCount).toBe(0);
});

test('credentials that an application wrapped may reject, and the error of the server is told', async () => {
  const { credentials } = giving(wrong);
  const wrapped: Credentials = {
    cached: wrong as never,
    current: () => credentials.current(),
    refresh: () => credentials.refresh(),
    replacementOf: () => Promise.reject(new Error('away')),
    onChange: (listener) => credentials.onChange(listener),
    close: () => credentials.close(),
  };
  const { options } = await way();
  await expect(poolOf(wrapped, options).query(WHO)).rejects.toMatchObject({ code: '28P01' });
});

test('another error of the connection has nothing read again', async () => {
  const { credentials, source } = giving(published);
  const { proxy, options } = await way();
  const pool = poolOf(credentials, { ...options, database: 'no such database' });
  await expect(pool.query(WHO)).rejects.toMatchObject({ code: '3D000' });
  expect(source.reads).toBe(1);
  expect(proxy.recordings).toHaveLength(1);
});

test('a query that fails with the same code as a refused login is not run again', async () => {
  const { credentials, source } = giving(published);
  const { options } = await way();
  const client = await poolOf(credentials, options).connect();
  await client.query('CREATE TEMPORARY SEQUENCE runs');
  await client.query("SELECT nextval('runs')");
  const fail = "DO $$ BEGIN PERFORM nextval('runs'); RAISE EXCEPTION 'no' USING ERRCODE = '28P01'; END $$";
  await expect(client.query(fail)).rejects.toMatchObject({ code: '28P01' });
  // Sequences do not roll back.
  const { rows } = await client.query("SELECT nextval('runs')::int AS next");
  client.release();
  expect(rows).toEqual([{ next: 3 }]);
  expect(source.reads).toBe(1);
});

test('many connections that are refused at the same time share one read', async () => {
  const { credentials, source } = giving(wrong, published);
  const { options } = await way();
  const pool = poolOf(credentials, { ...options, max: 8 });
  const names = await Promise.all(Array.from({ length: 8 }, () => pool.query(WHO)));
  expect(names.map(({ rows }) => rows[0].name)).toEqual(Array(8).fill(published.username));
  expect(source.reads).toBe(2);
});

test('a client tells its listeners nothing of a connection that was refused before another was made', async () => {
  const { credentials } = giving(wrong, published);
  const { options } = await way();
  const client = new (rotatingClient(credentials))(options);
  const heard: string[] = [];
  for (const event of ['error', 'end'] as const) client.on(event, () => heard.push(event));
  const { promise: connected, resolve } = deferred<Error | null>();
  client.connect(resolve);
  expect(await connected).toBeFalsy();
  const notified = new Promise((done) => client.once('notification', done));
  await client.query('LISTEN news');
  await client.query('NOTIFY news');
  await notified;
  expect(heard).toEqual([]);
  await client.end();
  expect(heard).toEqual(['end']);
});

test('user and password of the options are ignored, also in a connection string', async () => {
  const { credentials } = giving(published);
  const { options } = await way();
  const url = `postgresql://somebody:else@127.0.0.1:${options.port}/postgres`;
  const { rows } = await poolOf(credentials, { connectionString: url }).query(WHO);
  expect(rows).toEqual([{ name: published.username }]);
  const { rows: again } = await poolOf(credentials, { ...options, user: 'x', password: 'y' }).query(WHO);
  expect(again).toEqual([{ name: published.username }]);
});

test('a source that cannot be read fails the connection with its error, and leaves no client behind', async () => {
  const { credentials } = giving(Promise.reject(new Error('away')));
  const { proxy, options } = await way();
  const pool = poolOf(credentials, options);
  await expect(pool.query(WHO)).rejects.toMatchObject({ code: 'source-failed' });
  expect(pool.totalCount).toBe(0);
  expect(proxy.recordings).toHaveLength(0);
});

test('a client that is ended while the credential is read makes no connection', async () => {
  const late = deferred<ReadCredential>();
  const { credentials } = giving(late.promise);
  const { proxy, options } = await way();
  const client = new (rotatingClient(credentials))(options);
  const connecting = client.connect();
  await client.end();
  late.resolve(published);
  await expect(connecting).rejects.toThrow('Connection terminated');
  expect(proxy.recordings).toHaveLength(0);
});

test('a client that is ended after it was refused makes no second connection', async () => {
  const late = deferred<ReadCredential>();
  const { credentials, source } = giving(wrong, late.promise);
  const { proxy, options } = await way();
  const client = new (rotatingClient(credentials))(options);
  const connecting = client.connect();
  const failed = expect(connecting).rejects.toMatchObject({ code: '28P01' });
  await vi.waitFor(() => expect(source.reads).toBe(2));
  await client.end();
  late.resolve(published);
  await failed;
  expect(proxy.recordings).toHaveLength(1);
});

test('a client that failed to connect can be ended, as with pg', async () => {
  const { credentials } = giving(wrong);
  const { options } = await way();
  const client = new (rotatingClient(credentials))(options);
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  await client.end();
});

test('a pool that gave up waiting for a connection does not get it later', async () => {
  const late = deferred<ReadCredential>();
  const { credentials } = giving(late.promise);
  const { proxy, options } = await way();
  const pool = poolOf(credentials, { ...options, connectionTimeoutMillis: 50 });
  const asked = expect(pool.query(WHO)).rejects.toThrow('connection timeout');
  await sleep(100);
  late.resolve(published);
  await asked;
  expect(pool.totalCount).toBe(0);
  expect(proxy.recordings).toHaveLength(0);
});

test('an application may give its own class to extend', async () => {
  class Own extends pg.Client {}
  const { credentials } = giving(published);
  const { options } = await way();
  const client = new (rotatingClient(credentials, { Client: Own }))(options);
  await client.connect();
  expect(client).toBeInstanceOf(Own);
  await client.end();
});

test('a second connect has the error of pg, and the client keeps its login', async () => {
  const { credentials } = giving(published, revoked);
  const { options } = await way();
  const client = new (rotatingClient(credentials))(options);
  await client.connect();
  await credentials.refresh();
  expect(client.isOutdated).toBe(true);
  await expect(client.connect()).rejects.toThrow('already been connected');
  expect(client.isOutdated).toBe(true);
  await client.end();
});

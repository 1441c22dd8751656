import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Database } from '../../../src/config/config.ts';
import { factOf } from '../../../src/facts/fault.ts';
import { isTransientCode } from '../../../src/facts/transient.ts';
import { statementsOf, tell } from '../../../src/messages/tell.ts';
import { connect, type Session } from '../../../src/postgres/connection/connect.ts';
import { adminOf } from '../../support/admin.ts';
import { freePort } from '../../support/postgres-server.ts';
import { uniqueName } from '../../support/unique-name.ts';

const login = uniqueName('comes_in');
const database = uniqueName('enters');
const { host, port } = inject('postgres');
const target: Database = {
  host,
  port,
  database,
  user: login,
  password: 'hunter2-of-the-login',
  tls: { mode: 'disable' },
};
let admin: Session;

beforeAll(async () => {
  admin = await adminOf(inject('postgres'));
  await admin.client.query(`CREATE ROLE ${login} LOGIN PASSWORD 'hunter2-of-the-login'`);
  await admin.client.query(`CREATE DATABASE ${database}`);
});
afterAll(async () => {
  await admin.client.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.client.query(`DROP ROLE ${login}`);
  await admin[Symbol.asyncDispose]();
});

/** Why a session is not opened. The message begins with the place, and has no password in it. */
async function refusal(change: Partial<Database> = {}) {
  const to = { ...target, ...change };
  const fact = await connect(to).then(() => expect.unreachable(), factOf);
  const place = `${to.user}@${to.host}:${to.port}/${to.database}`;
  expect(fact.params).toMatchObject({ place });
  expect(tell(fact).startsWith(`${place}: `)).toBe(true);
  if (to.password) expect(tell(fact)).not.toContain(to.password);
  return fact;
}

test('a login without CONNECT is told the statement that gives it, which does', async () => {
  await admin.client.query(`REVOKE CONNECT ON DATABASE ${database} FROM PUBLIC`);
  const fact = await refusal();
  expect(fact).toMatchObject({
    code: 'privilege-missing',
    remedies: [{ kind: 'sql', statements: [`GRANT CONNECT ON DATABASE "${database}" TO "${login}"`] }],
  });
  for (const statement of statementsOf(fact)) await admin.client.query(statement);
  await (await connect(target))[Symbol.asyncDispose]();
});

test.each([
  [
    'a wrong password',
    { password: 'hunter2-of-nobody' },
    { code: 'login-refused', params: { because: 'password' } },
  ],
  ['an empty password', { password: '' }, { code: 'password-missing' }],
  ['a database that is not there', { database: 'no_such_database' }, { code: 'database-missing' }],
])('%s is a fault that no retry changes', async (_, change, expected) => {
  const fact = await refusal(change);
  expect(fact).toMatchObject(expected);
  expect(isTransientCode(fact.code)).toBe(false);
});

test('a server that is away is a fault that may pass', async () => {
  const fact = await refusal({ port: await freePort() });
  expect(fact).toMatchObject({
    code: 'server-unreachable',
    params: { detail: expect.stringContaining('ECONNREFUSED') },
  });
  expect(isTransientCode(fact.code)).toBe(true);
});

test.each([
  ['login', () => `ROLE ${login}`, 'login-connection-limit-reached'],
  ['database', () => `DATABASE ${database}`, 'database-connection-limit-reached'],
])('the CONNECTION LIMIT of a %s is told from a server that is full', async (_, of, code) => {
  await admin.client.query(`ALTER ${of()} CONNECTION LIMIT 0`);
  const fact = await refusal();
  await admin.client.query(`ALTER ${of()} CONNECTION LIMIT -1`);
  expect(fact).toMatchObject({ code });
  expect(isTransientCode(fact.code)).toBe(true);
  expect(tell(fact)).not.toContain('max_connections');
  await (await connect(target))[Symbol.asyncDispose]();
});

import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Connection, Database } from '../../src/config/config.ts';
import type { FactCode } from '../../src/facts/fact.ts';
import { factOf } from '../../src/facts/fault.ts';
import { openStatePool } from '../../src/ledger/open-state-pool.ts';
import { tellError } from '../../src/messages/tell.ts';
import { clientOptions } from '../../src/postgres/connection/client-options.ts';
import { connect, type Session } from '../../src/postgres/connection/connect.ts';
import { openReplica } from '../../src/postgres/replicas/open-replica.ts';
import { openPgBouncer } from '../../src/postgres/sessions/pgbouncer.ts';
import { postgresConnection } from '../../src/queue/queue-backend.ts';
import type { RotationView } from '../../src/rotation/context/rotation-view.ts';
import { proveLogin } from '../../src/rotation/proof/prove-login.ts';
import {
  authentication,
  type FakePostgres,
  message,
  nonceIn,
  type Script,
  startFakePostgres,
  WELCOME,
} from '../support/fake-postgres.ts';

const PASSWORD = 'hunter2-and-more';
const USER = 'keyturn';
const SALT = 'c2FsdHNhbHRzYWx0c2FsdA==';
const SASL = authentication(10, 'SCRAM-SHA-256\0\0');
const challenge = (nonce: string, iterations: number) =>
  authentication(11, `r=${nonce},s=${SALT},i=${iterations}`);
const READY = message('Z', Buffer.from('I'));

const EARLY = 'the proof of SCRAM before SCRAM';

/** What a server says that wants the password in clear, or as something that is as good. */
const ASKS: Readonly<Record<string, Script>> = {
  'the password in clear': [() => authentication(3), () => WELCOME],
  'its MD5': [() => authentication(5, 'salt'), () => WELCOME],
  'Kerberos V5': [() => authentication(2), () => WELCOME],
  GSSAPI: [() => authentication(7), () => WELCOME],
  'more of GSSAPI': [() => authentication(8, 'token'), () => WELCOME],
  SSPI: [() => authentication(9), () => WELCOME],
  'what nobody knows': [() => authentication(4711), () => WELCOME],
  'SASL without SCRAM-SHA-256': [() => authentication(10, 'SCRAM-SHA-1\0OAUTHBEARER\0\0'), () => WELCOME],
  'a binding to TLS that is not there': [() => authentication(10, 'SCRAM-SHA-256-PLUS\0\0'), () => WELCOME],
  [EARLY]: [() => challenge('nonce', 4096), () => WELCOME],
};

/** What a server says that does not know the password, and wants to be taken for one that does. */
const IMPOSTORS: Readonly<Record<string, Script>> = {
  'lets everybody in': [() => WELCOME],
  'says nothing of authentication': [() => READY],
  'offers SCRAM and lets everybody in': [() => Buffer.concat([SASL, WELCOME])],
  'offers SCRAM and does not go on with it': [() => SASL, () => WELCOME],
  'takes another nonce': [() => SASL, () => challenge('of-its-own', 4096), () => WELCOME],
  'wants more iterations than anybody has': [
    () => SASL,
    (answer) => challenge(`${nonceIn(answer)}more`, 2_147_483_647),
    () => WELCOME,
  ],
  'cannot sign': [
    () => SASL,
    (answer) => challenge(`${nonceIn(answer)}more`, 4096),
    () => Buffer.concat([authentication(12, `v=${Buffer.alloc(32).toString('base64')}`), WELCOME]),
  ],
  'does not sign': [() => SASL, (answer) => challenge(`${nonceIn(answer)}more`, 4096), () => WELCOME],
  'challenges twice': [
    () => SASL,
    (answer) =>
      Buffer.concat([challenge(`${nonceIn(answer)}more`, 4096), challenge(`${nonceIn(answer)}other`, 4096)]),
    () => WELCOME,
  ],
  'asks for the password in clear after SCRAM': [
    () => SASL,
    (answer) => challenge(`${nonceIn(answer)}more`, 4096),
    () => authentication(3),
  ],
  'lets everybody in and asks for the password in clear then': [
    () => Buffer.concat([WELCOME, authentication(3)]),
  ],
};

/** What keyturn says of those. */
const NOT_PROVEN: readonly FactCode[] = [
  'server-asks-no-password',
  'server-uses-no-scram',
  'scram-not-proven',
  'scram-out-of-turn',
];

let server: FakePostgres;
beforeAll(async () => {
  server = await startFakePostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

function target(): Database & { readonly tls: { readonly mode: 'disable' } } {
  const tls = { mode: 'disable' } as const;
  return { host: '127.0.0.1', port: server.port, database: 'app', user: USER, password: PASSWORD, tls };
}

function connection(): Connection {
  return { name: 'db', ...target() };
}

/** Every kind of session that keyturn opens. Each tries to say something once it is in. */
const SESSIONS: Readonly<Record<string, () => Promise<unknown>>> = {
  async rotator() {
    await using session = await connect(connection());
    return await session.client.query('SELECT 1');
  },
  async replica() {
    const replica = { host: '127.0.0.1', port: server.port, tls: { mode: 'disable' } } as const;
    await using opened = openReplica({ ...connection(), port: 1 }, replica);
    return await opened.ask((client) => client.query('SELECT 1'));
  },
  async 'proof of a login'() {
    const beside = (open: () => Promise<Session>) => open();
    const rotation = { reason: 'manual', outgoing: null, rolledBackTo: null };
    const policy = { type: 'logins' };
    const view = { connection: connection(), beside, policy, rotation } as unknown as RotationView;
    await using session = await proveLogin(view, { credential: { username: USER, password: PASSWORD } });
    return await session.client.query('SELECT 1');
  },
  async 'start of the state database'() {
    const pool = await openStatePool(target(), () => {});
    return await pool.end();
  },
  async ledger() {
    return await inPool(new pg.Pool({ ...clientOptions(target()), max: 1 }));
  },
  async queue() {
    return await inPool(new pg.Pool(queueOptions()));
  },
  async 'listener of the queue'() {
    const client = new pg.Client(queueOptions());
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.query('SELECT 1');
    } finally {
      await client.end();
    }
  },
  async 'console of PgBouncer'() {
    const { host, port, user, password, tls } = target();
    await using console = await openPgBouncer({ host, port, user, password: password ?? '', tls });
    return await console.pools('app');
  },
};

function queueOptions(): pg.PoolConfig {
  return postgresConnection(target(), { max: 1, application_name: 'keyturn queue' }) as pg.PoolConfig;
}

async function inPool(pool: pg.Pool): Promise<unknown> {
  pool.on('error', () => {});
  try {
    return await pool.query('SELECT 1');
  } finally {
    await pool.end();
  }
}

/** Why a session was not opened. The password is nowhere in it. */
async function refusal(session: () => Promise<unknown>): Promise<FactCode> {
  try {
    await session();
  } catch (error) {
    expect(tellError(error) + JSON.stringify(factOf(error))).not.toContain(PASSWORD);
    expect(factOf(error).params).toMatchObject({
      place: expect.stringMatching(`^${USER}@127.0.0.1:${server.port}/(app|pgbouncer)$`),
    });
    return factOf(error).code;
  }
  throw new Error('the session was opened, and spoke');
}

/**
 * What crossed is a whole conversation of SCRAM at most: its messages, without the password in any
 * form.
 */
function expectNothingSaid(): void {
  const md5 = (text: string) => createHash('md5').update(text).digest('hex');
  expect(server.heard.length).toBeGreaterThan(0);
  for (const heard of server.heard) {
    expect(heard).not.toContain(PASSWORD);
    expect(heard).not.toContain('md5');
    expect(heard).not.toContain(md5(PASSWORD + USER));
    expect(heard).not.toContain('SELECT');
  }
}

describe.each(Object.keys(SESSIONS))('An impostor in place of the server: the %s', (kind) => {
  const session = SESSIONS[kind] as () => Promise<unknown>;

  test.each(Object.keys(ASKS))('tells one that asks for %s nothing at all', async (which) => {
    server.play(ASKS[which] as Script);
    const code = await refusal(session);
    expect(code).toBe(which === EARLY ? 'scram-out-of-turn' : 'server-uses-no-scram');
    expectNothingSaid();
    // No password message, no SASL message, no farewell.
    expect(server.heard).toEqual(server.heard.map(() => ''));
  });

  test.each(Object.keys(IMPOSTORS))('is not let in by one that %s', async (which) => {
    server.play(IMPOSTORS[which] as Script);
    expect(NOT_PROVEN).toContain(await refusal(session));
    expectNothingSaid();
    for (const heard of server.heard) expect(heard).toMatch(/^(p.{4}SCRAM-SHA-256\0.{4}n,,.*)?$/s);
  });
});

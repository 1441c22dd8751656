import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Fact } from '../../../src/facts/fact.ts';
import { factOf } from '../../../src/facts/fault.ts';
import { statementsOf } from '../../../src/messages/tell.ts';
import { connect, type Session } from '../../../src/postgres/connection/connect.ts';
import { lockKey } from '../../../src/postgres/locks/lock-holders.ts';
import { type RoleMemory, withPolicyLock } from '../../../src/postgres/locks/policy-lock.ts';
import { adminOf } from '../../support/admin.ts';
import { uniqueName } from '../../support/unique-name.ts';

const DIST = resolve(import.meta.dirname, '../../../dist/src/postgres');
const [a, b, rotator, other] = ['lock_a', 'lock_b', 'lock_rotator', 'lock_other'].map(uniqueName) as [
  string,
  string,
  string,
  string,
];
const [c, d] = ['lock_c', 'lock_d'].map(uniqueName) as [string, string];
const roles = [a, b, c, d, rotator, other];
let admin: Session;
/** It holds the lock of c and d, and is stopped while the other tests run. */
let stopped: ChildProcess;

beforeAll(async () => {
  admin = await adminOf(inject('postgres'));
  for (const login of [a, b, c, d]) await admin.client.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'`);
  for (const role of [rotator, other]) {
    await admin.client.query(`CREATE ROLE ${role} LOGIN CREATEROLE PASSWORD 'secret'`);
    await admin.client.query(`GRANT pg_read_all_stats, pg_signal_backend TO ${role}`);
    await admin.client.query(
      `GRANT ${a}, ${b}, ${c}, ${d} TO ${role} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`,
    );
  }
  stopped = await holdInAProcess([c, d]);
  stopped.kill('SIGSTOP');
});
afterAll(async () => {
  stopped.kill('SIGKILL');
  for (const role of roles) await admin.client.query(`DROP OWNED BY ${role}`);
  for (const role of roles) await admin.client.query(`DROP ROLE ${role}`);
  await admin[Symbol.asyncDispose]();
});

function as(user: string): Promise<Session> {
  return connect({
    ...inject('postgres'),
    user,
    password: 'secret',
    database: 'postgres',
    tls: { mode: 'disable' },
  });
}

async function commentOn(login: string): Promise<string | null> {
  const { rows } = await admin.client.query("SELECT shobj_description($1::regrole, 'pg_authid') AS comment", [
    login,
  ]);
  return rows[0].comment;
}

async function pidOf(client: pg.ClientBase): Promise<number> {
  return (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid;
}

async function isWaiting(client: pg.ClientBase): Promise<void> {
  await expect
    .poll(async () => {
      const { rows } = await admin.client.query(
        'SELECT wait_event_type AS event FROM pg_stat_activity WHERE pid = $1',
        [(client as unknown as { processID: number }).processID],
      );
      return rows[0]?.event;
    })
    .toBe('Lock');
}

test('the lock of two logins is held by one rotator at a time, whoever it is and whichever login is named first', async () => {
  await using one = await as(rotator);
  await using two = await as(other);
  await withPolicyLock(one.client, [a, b], async () => {
    const { rows } = await one.client.query(
      'SELECT xact_start FROM pg_stat_activity WHERE pid = pg_backend_pid()',
    );
    const pid = await pidOf(one.client);
    const since = rows[0].xact_start.toISOString();
    await expect(withPolicyLock(two.client, [b, a], async () => {})).rejects.toMatchObject({
      fact: {
        code: 'lock-held',
        params: {
          logins: [b, a],
          seconds: 2,
          holders: [{ pid, login: rotator, application: 'keyturn rotator', since, prepared: null }],
        },
        remedies: [{ kind: 'sql', statements: [`SELECT pg_catalog.pg_terminate_backend(${pid})`] }],
      },
    });
    await withPolicyLock(two.client, ['no_such_a', 'no_such_b'], async () => {});
  });
  await withPolicyLock(two.client, [a, b], async () => {});
});

test('who holds the lock too long is named with the statement that ends that session', async () => {
  await using person = await adminOf(inject('postgres'));
  await person.client.query(`BEGIN; COMMENT ON ROLE ${a} IS NULL`);
  await using rotating = await as(rotator);
  const fact = await withPolicyLock(rotating.client, [a, b], async () => {}).catch(factOf);
  expect(fact).toMatchObject({
    code: 'lock-held',
    params: { holders: [{ pid: await pidOf(person.client), state: 'idle in transaction' }] },
  });
  for (const statement of statementsOf(fact as Fact)) await admin.client.query(statement);
  await expect(person.client.query('COMMIT')).rejects.toThrow();
  await withPolicyLock(rotating.client, [a, b], async () => {});
});

test('what its body did is undone when the body throws', async () => {
  const attempt = withPolicyLock(admin.client, [a, b], async () => {
    await admin.client.query('CREATE ROLE half_done');
    throw new Error('stop');
  });
  await expect(attempt).rejects.toThrow('stop');
  const { rowCount } = await admin.client.query("SELECT FROM pg_roles WHERE rolname = 'half_done'");
  expect(rowCount).toBe(0);
});

test('a comment in the encoding of another database keeps nobody out, and stays as it is (G5)', async () => {
  const latin = uniqueName('latin');
  await admin.client.query(`CREATE DATABASE ${latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0`);
  const bytes = async () => {
    const { rows } = await admin.client.query(
      "SELECT md5(shobj_description($1::regrole, 'pg_authid')) AS digest, octet_length(shobj_description($1::regrole, 'pg_authid')) AS length",
      [a],
    );
    return rows[0];
  };
  try {
    {
      await using person = await adminOf(inject('postgres'), latin);
      await person.client.query(`COMMENT ON ROLE ${a} IS 'für ''die'' App \\'`);
    }
    const before = await bytes();
    expect(before.length).toBe("für 'die' App \\".length);
    await using rotating = await as(rotator);
    const memory: RoleMemory = {};
    for (const _ of [1, 2]) {
      await withPolicyLock(rotating.client, { logins: [a, b], memory }, async () => {
        await using two = await as(other);
        await expect(withPolicyLock(two.client, [a, b], async () => {})).rejects.toMatchObject({
          fact: { code: 'lock-held', params: { holders: [{ login: rotator }] } },
        });
      });
    }
    expect(await bytes()).toEqual(before);
  } finally {
    await admin.client.query(`COMMENT ON ROLE ${a} IS NULL`);
    await admin.client.query(`DROP DATABASE ${latin}`);
  }
});

test('the comments of the logins stay as they are, also one that changes while the lock is waited for', async () => {
  await using rotating = await as(rotator);
  await admin.client.query(`COMMENT ON ROLE ${b} IS E'it''s \\\\ "b"'`);
  await withPolicyLock(rotating.client, [a, b], async () => {});
  expect([await commentOn(a), await commentOn(b)]).toEqual([null, 'it\'s \\ "b"']);

  for (const login of [a, b]) {
    await using person = await adminOf(inject('postgres'));
    await person.client.query(`BEGIN; COMMENT ON ROLE ${login} IS 'another'`);
    const locking = withPolicyLock(rotating.client, [a, b], async () => {});
    await isWaiting(rotating.client);
    await person.client.query('COMMIT');
    await locking;
    expect(await commentOn(login)).toBe('another');
  }
});

test('what is remembered of the logins from one lock to the next undoes no comment of somebody else', async () => {
  await using rotating = await as(rotator);
  const memory: RoleMemory = {};
  const lock = () => withPolicyLock(rotating.client, { logins: [a, b], memory }, async () => {});
  await lock();
  for (const comment of ['first', 'second', null, 'third']) {
    await admin.client.query(`COMMENT ON ROLE ${a} IS ${comment === null ? 'NULL' : `'${comment}'`}`);
    await lock();
    expect(await commentOn(a)).toBe(comment);
  }
  await admin.client.query(`REVOKE ${a} FROM ${rotator}`);
  await lock();
  await admin.client.query(`GRANT ${a} TO ${rotator} WITH ADMIN OPTION, INHERIT FALSE, SET FALSE`);
});

test('what is done under the lock survives a crash of the server, also if the default has changed meanwhile (G4)', async () => {
  await using rotating = await as(rotator);
  const level = async () => (await rotating.client.query('SHOW synchronous_commit')).rows[0];
  await rotating.client.query('SET synchronous_commit = off');
  for (const logins of [[a, b], [rotator]]) {
    expect(await withPolicyLock(rotating.client, logins, level)).toEqual({ synchronous_commit: 'on' });
    expect(await level()).toEqual({ synchronous_commit: 'off' });
  }
});

test('whoever may not alter the logins is told so, and holds nothing', async () => {
  await using login = await as(a);
  await expect(withPolicyLock(login.client, [a, b], async () => {})).rejects.toMatchObject({ code: '42501' });
  await withPolicyLock(admin.client, [a, b], async () => {});
});

test('a session that holds the lock is ended by PostgreSQL once its process is silent, and not while it lives', async () => {
  await using rotating = await as(rotator);
  await withPolicyLock(rotating.client, [a, b], async () => {
    const { rows } = await rotating.client.query(
      "SELECT current_setting('idle_in_transaction_session_timeout') AS silence",
    );
    expect(rows).toEqual([{ silence: '30s' }]);
    const pid = (rotating.client as unknown as { processID: number }).processID;
    const lastSign = async () =>
      (
        await admin.client.query('SELECT state_change::text AS sign FROM pg_stat_activity WHERE pid = $1', [
          pid,
        ])
      ).rows[0].sign;
    const before = await lastSign();
    await expect.poll(lastSign).not.toBe(before);
  });
});

test('an emergency does not wait for a stopped process that holds the lock, which then can change nothing any more (G4)', async () => {
  const holder = await holdInAProcess([a, b]);
  try {
    holder.kill('SIGSTOP');
    await using rotating = await as(rotator);
    await expect(withPolicyLock(rotating.client, [a, b], async () => {})).rejects.toMatchObject({
      fact: {
        code: 'lock-held',
        params: { holders: [{ login: rotator, application: 'keyturn rotator' }] },
      },
    });
    await withPolicyLock(rotating.client, { logins: [a, b], fence: true }, async () => {});
    holder.kill('SIGCONT');
    const [said] = await once(holder.stdout as NodeJS.ReadableStream, 'data');
    expect(String(said)).toContain('lost: lock-lost');
  } finally {
    holder.kill('SIGKILL');
  }
});

test('an answer that a process reads only after it stood still does not confirm the lock (G1)', async () => {
  await using rotating = await as(rotator);
  const pid = await pidOf(rotating.client);
  const confirming = withPolicyLock(rotating.client, [a, b], async (lock) => {
    const confirmed = lock.confirm();
    // As a file store on a mount that hangs: meanwhile the server answers, and later ends the session.
    execFileSync(
      process.execPath,
      ['--input-type=module', '-e', ENDING, JSON.stringify(inject('postgres')), `${pid}`],
      {
        cwd: import.meta.dirname,
      },
    );
    await confirmed;
  });
  await expect(confirming).rejects.toMatchObject({ fact: { code: 'lock-lost' } });
  await withPolicyLock(admin.client, [a, b], async () => {});
});

/** Ends a session after a while. */
const ENDING = `
  import pg from 'pg';
  const [server, pid] = process.argv.slice(1);
  const client = new pg.Client({ ...JSON.parse(server), database: 'postgres' });
  await client.connect();
  await new Promise((done) => setTimeout(done, 5_500));
  await client.query('SELECT pg_terminate_backend($1, 10000)', [pid]);
  await client.end();
`;

/** A process that holds the lock, and says what becomes of it once it finds out. */
async function holdInAProcess(logins: readonly string[]): Promise<ChildProcess> {
  const target = {
    ...inject('postgres'),
    user: rotator,
    password: 'secret',
    database: 'postgres',
    tls: { mode: 'disable' },
  };
  const script = `
    const { connect } = await import(${JSON.stringify(`${DIST}/connection/connect.js`)});
    const { withPolicyLock } = await import(${JSON.stringify(`${DIST}/locks/policy-lock.js`)});
    const { client } = await connect(${JSON.stringify(target)});
    await withPolicyLock(client, ${JSON.stringify(logins)}, async (lock) => {
      console.log('held');
      for (;;) {
        await new Promise((done) => setTimeout(done, 100));
        await lock.confirm();
      }
    }).catch((error) => console.log('lost: ' + error.fact.code));
    process.exit();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('attack: a login holds the advisory lock of a rotator that changes its own password, and is ended', async () => {
  await using login = await as(a);
  await login.client.query('SELECT pg_advisory_lock($1)', [lockKey(['keyturn', rotator])]);
  await using rotating = await as(rotator);
  await using second = await as(rotator);
  await withPolicyLock(rotating.client, [rotator], async () => {
    // One of its own is not.
    await expect(withPolicyLock(second.client, [rotator], async () => {})).rejects.toMatchObject({
      fact: { code: 'lock-held', params: { logins: [rotator], holders: [{ login: rotator }] } },
    });
  });
  await expect(login.client.query('SELECT 1')).rejects.toThrow();
});

test('a stopped process loses the lock by itself, without an emergency (G4)', async () => {
  await using rotating = await as(rotator);
  // Half a minute after it was stopped, most of which has passed by now.
  await expect.poll(() => withPolicyLock(rotating.client, [c, d], async () => 'taken')).toBe('taken');
  stopped.kill('SIGCONT');
  const [said] = await once(stopped.stdout as NodeJS.ReadableStream, 'data');
  expect(String(said)).toContain('lost: lock-lost');
});

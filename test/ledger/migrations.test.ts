import { createHash } from 'node:crypto';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { Fact } from '../../src/facts/fact.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { MIGRATIONS } from '../../src/ledger/migrations/migrations.ts';
import type { Mark, StepName } from '../../src/ledger/rotation.ts';
import { adminOf } from '../support/admin.ts';
import { keyturn } from '../support/keyturn.ts';
import { setClock } from '../support/ledger.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

/** What each migration is for, and its digest: a ledger of somebody has each as it was released. */
const RELEASED = [
  ['policies, rotations and their history', '0b9c7d7a59a6'],
  ['pauses, and indexes for the sweep', 'c0e957ce1215'],
  ['the way back', '2684e1d250fa'],
  ['warnings', '7091a6393542'],
  ['adopted changes and replaced rotations', '5b862b99c770'],
  ['what was done to roles', 'e558065e0144'],
  ['the order of rotations', '357d0f7349a4'],
  ['facts instead of sentences', 'e0f1b9903b81'],
  ['the index of what is due', 'cc6bceab67da'],
  ['what was done to roles by a restore', '48dc436c3e48'],
  ['probes', '975ff7988cb3'],
  ['looks at servers', '839538673e3d'],
  ['from when slots are counted', '8ed6d0a21b6b'],
  ['who asked, and what people did', 'd0b9b88ecfbe'],
  ['what is old goes', '2f7bc496489d'],
  ['events', '1e22051e2371'],
  ['destinations that people add and remove', '8ad6303d78c6'],
];

/** A release that knew sentences only. */
const SENTENCES = 7;

let workspace: Workspace;
let client: pg.Client;
let close: () => Promise<void>;

beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins));
  const session = await adminOf(inject('postgres'), workspace.state);
  client = session.client;
  close = async () => session[Symbol.asyncDispose]();
});
afterEach(async () => {
  await close();
  await workspace[Symbol.asyncDispose]();
});

async function migratedTo(version: number): Promise<void> {
  await client.query(
    'CREATE SCHEMA keyturn; CREATE TABLE keyturn.migration (version int PRIMARY KEY, applied_at timestamptz NOT NULL)',
  );
  for (const [index, sql] of MIGRATIONS.slice(0, version).entries()) {
    await client.query(`SET search_path = pg_catalog; ${sql}`);
    await client.query('INSERT INTO keyturn.migration VALUES ($1, now())', [index + 1]);
  }
}

async function open() {
  const pool = new pg.Pool({ connectionString: workspace.stateUrl, max: 2 });
  pool.on('error', () => {});
  return {
    ledger: await openLedger(pool, systemClock).catch(async (error) => {
      await pool.end();
      throw error;
    }),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

const ID = '44444444-4444-4444-8444-444444444444';
const look = (login: string) => ({ code: 'revoke-last-look', params: { login } }) as const;

/** Records what a rotation waits for. */
function wait(ledger: Ledger, step: StepName, fact: Fact, marks: readonly Mark[] = []) {
  return ledger.record({ id: ID, rolledBackBy: null }, [{ step, kind: 'waiting', fact }], { marks });
}

test('a migration that was released is never edited, only followed by another', () => {
  const digest = (sql: string) => createHash('sha256').update(sql).digest('hex').slice(0, 12);
  expect(MIGRATIONS.map(digest)).toEqual(RELEASED.map(([, released]) => released));
});

test('a ledger of a newer release is refused, by every command, and left as it is', async () => {
  await migratedTo(MIGRATIONS.length);
  const newer = MIGRATIONS.length + 1;
  await client.query('INSERT INTO keyturn.migration VALUES ($1, now())', [newer]);
  await expect(open()).rejects.toMatchObject({
    fact: { code: 'ledger-newer', params: { version: newer, known: MIGRATIONS.length } },
  });
  expect(await keyturn(['history'], { cwd: workspace.folder })).toMatchObject({
    code: 1,
    stderr:
      `keyturn: The ledger is at version ${newer}, this keyturn knows ${MIGRATIONS.length}; run the newer keyturn`.concat(
        '\n',
      ),
  });
});

describe('a ledger of the release that kept sentences', () => {
  const DONE = '11111111-1111-4111-8111-111111111111';
  const FAILED = '22222222-2222-4222-8222-222222222222';
  const OPEN = '33333333-3333-4333-8333-333333333333';
  const ERROR = 'files (primary): the disk is full; make room';

  beforeEach(async () => {
    await migratedTo(SENTENCES);
    const [a, b] = workspace.logins;
    await client.query(
      `INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, status, incoming, outgoing,
                                     published_at, finished_at, attempts, last_error) VALUES
         ('${DONE}', 'app', 'manual', 'margaret', '2026-01-01', 'done', $1, $2, '2026-01-01 00:00:02', '2026-01-01 00:00:09', 0, NULL),
         ('${FAILED}', 'app', 'manual', 'margaret', '2026-01-02', 'failed', $2, $1, NULL, '2026-01-02 00:00:05', 1, $3),
         ('${OPEN}', 'app', 'manual', 'margaret', '2026-01-03', 'open', $2, $1, '2026-01-03 00:00:05', NULL, 0, NULL)`,
      [a, b, ERROR],
    );
    await client.query(
      `INSERT INTO keyturn.event (rotation, at, step, kind, detail) VALUES
         ('${DONE}', '2026-01-01 00:00:01', 'check', 'started', NULL),
         ('${DONE}', '2026-01-01 00:00:02', 'check', 'warning', 'only app_a has a comment'),
         ('${DONE}', '2026-01-01 00:00:03', 'check', 'done', NULL),
         ('${FAILED}', '2026-01-02 00:00:01', 'stage', 'started', NULL),
         ('${FAILED}', '2026-01-02 00:00:02', 'stage', 'failed', $1),
         ('${OPEN}', '2026-01-03 00:00:01', 'set', 'started', NULL),
         ('${OPEN}', '2026-01-03 00:00:02', 'verify', 'waiting', 'replica r:5432 does not take the new password of b yet (it replays)'),
         ('${OPEN}', '2026-01-03 00:00:03', 'publish', 'started', NULL),
         ('${OPEN}', '2026-01-03 00:00:06', 'revoke', 'started', NULL),
         ('${OPEN}', '2026-01-03 00:00:07', 'revoke', 'waiting', 'replica r:5432 still lets a log in (it replays)'),
         ('${OPEN}', '2026-01-03 00:00:08', 'revoke', 'waiting', 'a last look whether somebody was just logging in as a')`,
      [ERROR],
    );
  });

  test('is migrated, and its history tells what it told', async () => {
    const { stdout } = await keyturn(['history'], { cwd: workspace.folder });
    expect(stdout).toContain(`${FAILED}: ${ERROR}\n`);
    expect(stdout).toContain(`${DONE}: check warning: only app_a has a comment\n`);
    const json = JSON.parse((await keyturn(['history', '--json'], { cwd: workspace.folder })).stdout);
    const recorded = (text: string) => ({ code: 'recorded', params: { text } });
    expect(json).toMatchObject([
      { rotation: OPEN, status: 'open', error: null, fault: null, warnings: [] },
      { rotation: FAILED, status: 'failed', error: ERROR, fault: recorded(ERROR) },
      {
        rotation: DONE,
        status: 'done',
        error: null,
        steps: [{ name: 'check', ms: 2_000 }],
        warnings: [
          { step: 'check', text: 'only app_a has a comment', ...recorded('only app_a has a comment') },
        ],
      },
    ]);
  });

  test('keeps of an open rotation what later steps must know (G2, G4)', async () => {
    await using opened = await open();
    const at = (second: number) => new Date(Date.parse('2026-01-03T00:00:00Z') + second * 1_000);
    const found = await opened.ledger.find(OPEN);
    // The rows were written in the server's time zone.
    const offset = Number(found?.requestedAt) - Number(at(0));
    const since = (second: number) => new Date(Number(at(second)) + offset);
    expect(found).toMatchObject({
      setBegunAt: since(1),
      publishBegunAt: since(3),
      replicasBehindSince: since(7),
      outgoingShutAt: since(7),
      lastLookAt: since(8),
      lastFault: null,
    });
  });

  test('goes on: a failure takes the place of the sentence, and a success clears it (G5)', async () => {
    await using opened = await open();
    const { ledger } = opened;
    const rotation = { id: OPEN, rolledBackBy: null };
    await client.query('UPDATE keyturn.rotation SET last_error = $1 WHERE id = $2', ['old words', OPEN]);
    expect(await ledger.find(OPEN)).toMatchObject({
      lastFault: { code: 'recorded', params: { text: 'old words' } },
    });
    const failure = { code: 'unexpected', params: { text: 'new words \0 \ud800' } } as const;
    expect(await ledger.failed(rotation, 'revoke', failure)).toMatchObject({
      attempts: 1,
      lastFault: { code: 'unexpected', params: { text: 'new words \ufffd \ufffd' } },
    });
    await ledger.record(rotation, [{ step: 'revoke', kind: 'waiting', fact: look('a') }]);
    expect(await ledger.find(OPEN)).toMatchObject({ attempts: 0, lastFault: null });
  });

  test('while a worker of that release runs beside this one, what it begins is known (G1, G4)', async () => {
    await using opened = await open();
    await client.query(
      `UPDATE keyturn.rotation SET set_begun_at = NULL, publish_begun_at = NULL WHERE id = '${OPEN}'`,
    );
    expect(await opened.ledger.find(OPEN)).toMatchObject({
      setBegunAt: expect.any(Date),
      publishBegunAt: expect.any(Date),
    });
  });
});

describe('the history', () => {
  const rotation = { id: ID, rolledBackBy: null };
  const grace = { code: 'drain-grace', params: { until: '2026-01-01T00:00:00.000Z' } } as const;

  test('has a wait once for each code and parameters, and a warning once for each code and subject', async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.request({ id: ID, policy: 'app', reason: 'manual', requestedBy: 'test' });
    for (const fact of [grace, grace, look('a'), look('a'), look('b')]) {
      await wait(ledger, 'revoke', fact);
    }
    expect((await ledger.events([ID])).map(({ fact }) => fact)).toEqual([grace, look('a'), look('b')]);
    expect(await ledger.warn(rotation, 'revoke', look('a'))).toBe(true);
    expect(await ledger.warn(rotation, 'revoke', look('b'))).toBe(false);
    expect(await ledger.warn(rotation, 'revoke', look('b'), 'b')).toBe(true);
    // An index takes no more than a few kilobytes of a row.
    const long = 'x'.repeat(100_000);
    expect(await ledger.warn(rotation, 'revoke', look('c'), `${long}1`)).toBe(true);
    expect(await ledger.warn(rotation, 'revoke', look('c'), `${long}1`)).toBe(false);
    expect(await ledger.warn(rotation, 'revoke', look('c'), `${long}2`)).toBe(true);
  });

  test('shows a fact of a newer release, or of somebody else, as data', async () => {
    await using opened = await open();
    await opened.ledger.request({ id: ID, policy: 'app', reason: 'manual', requestedBy: 'test' });
    for (const fact of [
      '{"code": "not-known-yet", "params": {"speed": 7}}',
      '{"code": "constructor", "params": {}}',
      '{"code": "drain-waiting-for-sessions", "params": {"login": 1}, "remedies": [{"kind": "sql"}, 7]}',
      '[1]',
    ]) {
      await client.query(
        `INSERT INTO keyturn.event (rotation, at, step, kind, fact, subject) VALUES ('${ID}', now(), 'check', 'warning', $1::jsonb, $2)`,
        [fact, fact],
      );
    }
    await client.query(`UPDATE keyturn.rotation SET last_fault = '{"code": "__proto__", "params": {}}'`);
    const { code, stdout } = await keyturn(['history'], { cwd: workspace.folder });
    expect(code).toBe(0);
    expect(stdout).toContain('check warning: not-known-yet {"speed":7}\n');
    expect(stdout).toContain('check warning: constructor {}\n');
    expect(stdout).toContain('check warning: drain-waiting-for-sessions {"login":1}\n');
    expect(stdout).toContain('check warning: [1]\n');
    expect(stdout).toContain(`${ID}: __proto__ {}\n`);
    expect(await keyturn(['status', '--json'], { cwd: workspace.folder })).toMatchObject({ code: 0 });
  });

  test('is turned round with what revoke found out, and keeps what was begun (G2)', async () => {
    await using opened = await open();
    const { ledger } = opened;
    await ledger.request({ id: ID, policy: 'app', reason: 'manual', requestedBy: 'test' });
    await ledger.record(rotation, [{ step: 'set', kind: 'started' }]);
    const clock = setClock(Date.now());
    await wait(ledger, 'verify', look('a'), ['replicasBehindSince']);
    expect(await ledger.record(rotation, [], { published: true })).toMatchObject({
      replicasBehindSince: null,
    });
    const marks = ['replicasBehindSince', 'outgoingShutAt', 'lastLookAt'] as const;
    await wait(ledger, 'revoke', look('a'), marks);
    const marked = await ledger.find(ID);
    for (const mark of marks) expect(Number(marked?.[mark])).toBeGreaterThanOrEqual(clock.now() - 60_000);
    // Published again on another destination: that changes nothing of it, and the first instants stay.
    expect(await ledger.record(rotation, [], { published: true })).toMatchObject({
      replicasBehindSince: marked?.replicasBehindSince,
    });
    await wait(ledger, 'revoke', look('b'), marks);
    expect(await ledger.find(ID)).toMatchObject({ lastLookAt: marked?.lastLookAt });
    expect(await ledger.rollBack(ID, { requestedBy: 'margaret', to: 'before' })).toMatchObject({
      ...Object.fromEntries(marks.map((mark) => [mark, null])),
      publishedAt: null,
      setBegunAt: expect.any(Date),
    });
    await expect(wait(ledger, 'revoke', look('c'), marks)).rejects.toMatchObject({
      fact: { code: 'rotation-superseded', params: { rotation: ID } },
    });
    expect(await ledger.find(ID)).toMatchObject({ lastLookAt: null });
  });
});

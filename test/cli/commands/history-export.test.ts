import { spawn } from 'node:child_process';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { adminOf } from '../../support/admin.ts';
import { MAIN } from '../../support/cli.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

const ROTATIONS = 30_000;
const ACTIONS = 5_000;
/** Less than all rows take: the whole history does not fit. */
const HEAP = '--max-old-space-size=48';

let workspace: Workspace;
beforeAll(async () => {
  workspace = await openWorkspace(inject('postgres'));
  await workspace.configure(filePolicy(workspace.logins));
  const pool = new pg.Pool({ connectionString: workspace.stateUrl, max: 2 });
  await openLedger(pool, { now: Date.now });
  await pool.end();
  await using session = await adminOf(inject('postgres'), workspace.state);
  await session.client.query(
    `INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, status, finished_at)
     SELECT gen_random_uuid(), 'app', 'manual', 'seed', now() - interval '1 day' + number * interval '1 second',
            'done', now() FROM generate_series(1, ${ROTATIONS}) AS number;
     INSERT INTO keyturn.event (rotation, at, step, kind)
     SELECT id, requested_at, step, kind FROM keyturn.rotation
      CROSS JOIN unnest(ARRAY['check', 'publish']) AS step CROSS JOIN unnest(ARRAY['started', 'done', 'failed', 'failed']) AS kind
         ON CONFLICT DO NOTHING;
     INSERT INTO keyturn.action (policy, kind, requested_by, at, status)
     SELECT 'app', 'pause', 'seed', now() - interval '1 day' + number * interval '3 seconds', 'done'
       FROM generate_series(1, ${ACTIONS}) AS number;
     ANALYZE keyturn.rotation, keyturn.event, keyturn.action`,
  );
}, 120_000);
afterAll(() => workspace[Symbol.asyncDispose]());

/** Runs the export into a pipeline of the shell. */
function exported(pipeline: string) {
  const command = `"$@" history --since 2d --json; echo "code $?" >&2`;
  return new Promise<{ stdout: string; stderr: string }>((resolve) => {
    const child = spawn('sh', ['-c', `(${command}) | ${pipeline}`, 'sh', process.execPath, HEAP, MAIN], {
      cwd: workspace.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('close', () => resolve({ stdout, stderr }));
  });
}

test('a slow reader gets every row once, in the order of instants, in bounded memory', async () => {
  // The reader sleeps until the pipe is full: what it does not take, keyturn must not gather.
  const read = `(sleep 3; node -e '
    const seen = { rotation: 0, action: 0, unordered: 0 };
    let before = "";
    require("node:readline").createInterface({ input: process.stdin })
      .on("line", (line) => {
        const { type, at } = JSON.parse(line);
        seen[type] += 1;
        if (at < before) seen.unordered += 1;
        before = at;
      })
      .on("close", () => console.log(JSON.stringify(seen)));')`;
  const { stdout, stderr } = await exported(read);
  expect(stderr.trim()).toBe('code 0');
  expect(JSON.parse(stdout)).toEqual({ rotation: ROTATIONS, action: ACTIONS, unordered: 0 });
}, 180_000);

test('a reader that has enough ends the export at once, without a fault', async () => {
  const { stdout, stderr } = await exported('head -n 2');
  expect(stdout.trim().split('\n')).toHaveLength(2);
  expect(stderr.trim()).toBe('code 0');
}, 60_000);

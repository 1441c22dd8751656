import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { untilUnknown } from '../../src/cli/commands/rotate/until-unknown.ts';
import { systemClock } from '../../src/clock.ts';
import { fact } from '../../src/facts/fact.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { startCli } from '../support/cli.ts';
import { keyturn } from '../support/keyturn.ts';
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

/** A worker that does not look at its files by itself while the test runs. */
const NEVER_MS = 3_600_000;

let workspace: Workspace;
let workers: WorkerProcess[];
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
  workers = [];
});
afterEach(async () => {
  for (const worker of workers) await worker.stop();
  await workspace[Symbol.asyncDispose]();
});

const file = () => join(workspace.folder, 'config', 'keyturn.yaml');
const configured = () => readFile(file(), 'utf8');

async function startWorker(folder = workspace.folder): Promise<WorkerProcess> {
  const worker = await startWorkerProcess(folder, NEVER_MS);
  workers.push(worker);
  return worker;
}

/** The same configuration under another name of the policy, in a folder of its own. */
async function folderWithout(policy: string): Promise<string> {
  const folder = join(workspace.folder, 'other');
  await mkdir(folder);
  await cp(join(workspace.folder, 'config'), join(folder, 'config'), { recursive: true });
  const other = (await configured()).replace(`  ${policy}:\n`, '  another:\n');
  await writeFile(join(folder, 'config', 'keyturn.yaml'), other);
  return folder;
}

/** Levels and codes of what a log has at warn or above. */
function complaints(worker: WorkerProcess): unknown[] {
  const lines = worker.log().trim().split('\n').filter(Boolean);
  return lines
    .map((line) => JSON.parse(line) as { level: number; code?: string })
    .filter(({ level }) => level >= 40)
    .map(({ level, code }) => [level, code]);
}

describe('A rotation of a policy that only the command knows', () => {
  test('has the worker reload its edited configuration at once, and no error is logged', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    const whole = await configured();
    await writeFile(file(), whole.replace('  app:\n', '  another:\n'));
    const worker = await startWorker();
    await writeFile(file(), whole);
    const { code, stdout, stderr } = await keyturn(['rotate', 'app', '--wait', '--timeout', '50s'], {
      cwd: workspace.folder,
    });
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.not.stringContaining('waiting for a worker'),
    });
    expect(stdout).toContain('app: ');
    await worker.says('"config-reloaded"');
    expect(complaints(worker)).toEqual([]);
    await workspace.logIn();
  });

  test('goes to the worker that knows it, however often the others take it', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    const others = [await startWorker(await folderWithout('app')), await startWorker()];
    for (let round = 0; round < 4; round += 1) {
      const { code } = await keyturn(['rotate', 'app', '--wait', '--timeout', '50s'], {
        cwd: workspace.folder,
      });
      expect(code).toBe(0);
    }
    for (const worker of others) {
      for (const complaint of complaints(worker)) expect(complaint).toEqual([40, 'worker-lacks-policy']);
    }
  });

  test('waits while the configuration of the worker is broken, says why, and goes on when it is whole', async () => {
    await workspace.configure(filePolicy(workspace.logins));
    const whole = await configured();
    await writeFile(file(), whole.replace('  app:\n', '  another:\n'));
    const other = join(workspace.folder, 'command');
    await mkdir(join(other, 'config'), { recursive: true });
    await writeFile(
      join(other, 'config', 'keyturn.yaml'),
      whole.replace('path: secrets', 'path: ../secrets'),
    );
    const worker = await startWorker();
    await writeFile(file(), whole.replace('connection: db', 'conection: db'));
    await using rotating = startCli(['rotate', 'app', '--wait'], { cwd: other });
    await rotating.says('waiting for a worker that has the policy app; the one on ');
    await rotating.says('has problems, so the one before stays in force');
    expect(rotating.process.exitCode).toBeNull();
    await writeFile(file(), whole);
    expect(await rotating.exited).toBe(0);
    // The problems are logged once, not at each look.
    expect(complaints(worker)).toEqual([
      [50, 'config-reload-refused'],
      [40, 'worker-lacks-policy'],
    ]);
  });
});

test('--wait ends when the workers that run have lacked the policy all the while, and leaves the rotation open', async () => {
  await workspace.configure(filePolicy(workspace.logins));
  const pool = new pg.Pool({ connectionString: workspace.stateUrl, max: 2 });
  await using _pool = { [Symbol.asyncDispose]: () => pool.end() };
  const ledger = await openLedger(pool, systemClock);
  const rotations = [];
  for (const policy of ['app', 'slow']) {
    const request = { id: randomUUID(), policy, reason: 'manual', requestedBy: 'test' } as const;
    rotations.push(await ledger.request(request));
  }
  const [gone, slow] = rotations.flatMap((rotation) => rotation ?? []);
  if (!gone || !slow) throw new Error('nothing was opened');
  const lacking = (policy: string) =>
    fact('worker-lacks-policy', { policy, host: 'ops-1', config: 'config', isRefused: false });
  const abort = new AbortController();
  await ledger.warn(gone, 'check', lacking('app'), 'ops-1');
  await ledger.warn(slow, 'check', lacking('slow'), 'ops-1');
  await ledger.record(slow, [{ step: 'check', kind: 'started' }]);
  let ended: unknown;
  let looks = 0;
  const watched = () => {
    looks += 1;
    return [gone, slow];
  };
  const wait = untilUnknown(ledger, watched, { signal: abort.signal, patience: 0 }).then((fault) => {
    ended = fault.fact;
  });
  // The other one is under way.
  await expect.poll(() => looks).toBeGreaterThan(2);
  expect(ended).toBeUndefined();
  await ledger.finish(slow, 'done');
  await wait;
  expect(ended).toMatchObject({
    code: 'no-worker-has-policy',
    params: { policy: 'app', rotation: gone.id, seconds: 0 },
    remedies: [{ kind: 'command', command: 'keyturn cancel app' }],
  });
  abort.abort();
  expect(await ledger.find(gone.id)).toMatchObject({ status: 'open' });
  expect(await keyturn(['cancel', 'app'], { cwd: workspace.folder })).toMatchObject({ code: 0 });
  expect(await ledger.find(gone.id)).toMatchObject({ status: 'failed' });
});

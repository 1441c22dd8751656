import pg from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { keyturn } from '../support/keyturn.ts';
import { flushRedis, QUEUE_BACKENDS } from '../support/queue-backends.ts';
import { shiftedClock } from '../support/shifted-clock.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { filePolicy, openWorkspace, type Workspace } from '../support/workspace.ts';

const server = inject('postgres');
const MINUTE = 60_000;
const DAY = 86_400_000;
const SWEEP_MS = 500;

/** A session in the state database, and what it saw there by the server's own clock. */
async function watchState(url: string) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // The triggers note by the server's clock when a rotation was published, and when its old login's time was over.
  await client.query(`
    CREATE TABLE public.seen (rotation uuid, what text, at timestamptz, UNIQUE (rotation, what));
    CREATE FUNCTION public.see_published() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.published_at IS NOT NULL AND OLD.published_at IS NULL THEN
        INSERT INTO public.seen VALUES (NEW.id, 'published', pg_catalog.clock_timestamp()) ON CONFLICT DO NOTHING;
      END IF; RETURN NEW; END $$;
    CREATE FUNCTION public.see_revoke() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.step = 'revoke' THEN
        INSERT INTO public.seen VALUES (NEW.rotation, 'revoke', pg_catalog.clock_timestamp()) ON CONFLICT DO NOTHING;
      END IF; RETURN NEW; END $$;
    CREATE TRIGGER see_published AFTER UPDATE ON keyturn.rotation FOR EACH ROW EXECUTE FUNCTION public.see_published();
    CREATE TRIGGER see_revoke AFTER INSERT ON keyturn.event FOR EACH ROW EXECUTE FUNCTION public.see_revoke()`);
  const ask = async (sql: string) => (await client.query(sql)).rows;
  return {
    ask,
    /** How long each rotation's old login was left alone after publish, in milliseconds. */
    graces: async (): Promise<number[]> =>
      (
        await ask(`SELECT (extract(epoch FROM b.at - a.at) * 1000)::float8 AS grace
                     FROM public.seen AS a JOIN public.seen AS b USING (rotation)
                    WHERE a.what = 'published' AND b.what = 'revoke' ORDER BY a.at`)
      ).map(({ grace }) => grace),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

/** A workspace with a policy that rotated once, and its state database being watched. */
async function rotatedWorkspace(workspace: Workspace, policy: string, redis?: string) {
  const change = redis === undefined ? {} : { redis };
  await workspace.configure(filePolicy(workspace.logins), change);
  expect(await keyturn(['rotate', 'app', '--inline'], { cwd: workspace.folder })).toMatchObject({ code: 0 });
  await workspace.configure(policy, change);
  return watchState(workspace.stateUrl);
}

function policyWith(workspace: Workspace, { grace = '0s', schedule = '' }): string {
  return filePolicy(workspace.logins, schedule && `    schedule: ${schedule}\n`).replace(
    'grace: 0s, timeout: 5s',
    `grace: ${grace}, timeout: 20s`,
  );
}

const LEDGER = `SELECT (SELECT json_agg(r ORDER BY id) FROM keyturn.rotation AS r) AS rotations,
  (SELECT json_agg(e ORDER BY id) FROM keyturn.event AS e) AS events,
  (SELECT json_agg(p ORDER BY name) FROM keyturn.policy AS p) AS policies`;

const DONE = "SELECT count(*)::int AS count FROM keyturn.rotation WHERE status = 'done'";

test('a rotate from a host whose clock is 400 days ahead opens nothing, says so with both times, and nothing in the ledger moves (G4)', async () => {
  await using workspace = await openWorkspace(server);
  await using state = await rotatedWorkspace(workspace, policyWith(workspace, {}));
  const before = await state.ask(LEDGER);
  const year = new Date(Date.now() + 400 * DAY).getUTCFullYear();
  for (const how of [['--inline'], []]) {
    const refused = await cli(['rotate', 'app', ...how], {
      cwd: workspace.folder,
      env: shiftedClock(400 * DAY),
    });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(
      new RegExp(`this machine says ${year}-.*state database says ${new Date().getUTCFullYear()}-.*NTP`),
    );
  }
  expect(await state.ask(LEDGER)).toEqual(before);
});

test('a worker whose clock differs by a minute says so once, and rotates all the same', async () => {
  await using workspace = await openWorkspace(server);
  await using state = await rotatedWorkspace(workspace, policyWith(workspace, { schedule: '{ every: 1s }' }));
  const worker = await startWorkerProcess(workspace.folder, SWEEP_MS, shiftedClock(-MINUTE));
  await expect.poll(async () => (await state.graces()).length).toBeGreaterThan(2);
  await worker.stop();
  expect(worker.log().split('is 60 s behind').length - 1).toBe(1);
});

describe.each(QUEUE_BACKENDS)('With the queue on %s,', (_name, open, available) => {
  const it = test.skipIf(!available);
  const GRACE_MS = 2_000;

  it('two workers ten minutes apart leave every old login its whole grace, and the one that is right goes on (G2)', async () => {
    await using place = await open();
    const redis = 'redis' in place.backend ? place.backend.redis : undefined;
    for (const shift of [10 * MINUTE, -10 * MINUTE]) {
      await using workspace = await openWorkspace(server);
      if (redis) await flushRedis(redis);
      const policy = policyWith(workspace, { grace: '2s', schedule: '{ every: 3s }' });
      await using state = await rotatedWorkspace(workspace, policy, redis);
      const wrong = await startWorkerProcess(workspace.folder, SWEEP_MS, shiftedClock(shift));
      const right = await startWorkerProcess(workspace.folder, SWEEP_MS);
      await expect.poll(async () => (await state.graces()).length).toBeGreaterThan(1);
      await Promise.all([wrong.stop(), right.stop()]);
      for (const grace of await state.graces()) expect(grace).toBeGreaterThanOrEqual(GRACE_MS);
      const [{ ahead }] = await state.ask(
        `SELECT count(*)::int AS ahead FROM keyturn.event
          WHERE at > pg_catalog.clock_timestamp() OR at < pg_catalog.clock_timestamp() - interval '5 min'`,
      );
      expect(ahead).toBe(0);
    }
  });

  it.each([
    ['died after another was an hour ahead', 'another', 200_000],
    ['was an hour ahead and died', 'itself', undefined],
  ] as const)(
    'a rotation whose worker %s goes on with one that is right (G4)',
    async (_, ahead, timeout) => {
      await using place = await open();
      await using workspace = await openWorkspace(server);
      const redis = 'redis' in place.backend ? place.backend.redis : undefined;
      const change = redis === undefined ? {} : { redis };
      const slow = filePolicy(workspace.logins, '    verify: ["SELECT pg_sleep(25)"]\n');
      await using state = await rotatedWorkspace(workspace, slow, redis);
      const start = (isAhead: boolean) =>
        startWorkerProcess(workspace.folder, SWEEP_MS, isAhead ? shiftedClock(60 * MINUTE) : undefined);
      // BullMQ's look for workers that died is done for the next hour.
      if (ahead === 'another') await (await start(true)).stop();
      await keyturn(['rotate', 'app'], { cwd: workspace.folder });
      const dying = await start(ahead === 'itself');
      const verifies = "SELECT FROM keyturn.event WHERE step = 'verify' AND kind = 'started'";
      await expect.poll(async () => (await state.ask(verifies)).length).toBe(2);
      await dying.kill();
      // It is not late before.
      await state.ask(
        "UPDATE keyturn.rotation SET requested_at = requested_at - interval '10 min' WHERE status = 'open'",
      );
      await workspace.configure(policyWith(workspace, {}), change);
      const right = await start(false);
      await expect
        .poll(async () => (await state.ask(DONE))[0].count, timeout === undefined ? {} : { timeout })
        .toBe(2);
      await right.stop();
    },
    300_000,
  );
});

// What follows reads the ledger alone, whatever queue there is.

test('sessions are not cut before their time where a worker an hour behind published and a right one drains (G2)', async () => {
  await using workspace = await openWorkspace(server);
  await using state = await rotatedWorkspace(workspace, policyWith(workspace, { grace: '3s' }));
  await keyturn(['rotate', 'app'], { cwd: workspace.folder });
  const behind = await startWorkerProcess(workspace.folder, SWEEP_MS, shiftedClock(-60 * MINUTE));
  await expect.poll(async () => (await state.ask('SELECT FROM public.seen')).length).toBe(1);
  await behind.kill();
  const right = await startWorkerProcess(workspace.folder, SWEEP_MS);
  await expect.poll(state.graces).toHaveLength(1);
  await right.stop();
  expect((await state.graces())[0]).toBeGreaterThanOrEqual(3_000);
});

test('rotations that a clock a year ahead wrote do not keep the schedule from going on; status, doctor and the log tell (G4)', async () => {
  await using workspace = await openWorkspace(server);
  const policy = policyWith(workspace, { schedule: '{ every: 5s }' });
  await using state = await rotatedWorkspace(workspace, policy);
  const worker = await startWorkerProcess(workspace.folder, SWEEP_MS);
  const count = async () => (await state.ask(DONE))[0].count;
  await expect.poll(count).toBeGreaterThan(1);
  await worker.stop();
  await state.ask(`
    UPDATE keyturn.rotation SET requested_at = requested_at + interval '1 year', slot = slot + interval '1 year',
           published_at = published_at + interval '1 year', finished_at = finished_at + interval '1 year';
    UPDATE keyturn.policy SET first_seen_at = first_seen_at + interval '1 year';
    INSERT INTO keyturn.rotation (id, policy, reason, requested_by, requested_at, status, finished_at)
    VALUES (gen_random_uuid(), 'app', 'manual', 'test', now() + interval '1 year', 'failed', now() + interval '1 year')`);

  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  const [told] = JSON.parse((await run('status', '--json')).stdout);
  expect(told).toMatchObject({ state: 'failed', clockWarning: expect.stringContaining('in the future') });
  expect(Date.parse(told.nextRotationAt)).toBeLessThan(Date.now() + MINUTE);
  expect((await run('status')).stdout).toContain('lies in the future');
  expect((await run('doctor')).stdout).toContain('lies in the future');

  const before = await count();
  const again = await startWorkerProcess(workspace.folder, SWEEP_MS);
  await expect.poll(count).toBeGreaterThan(before + 1);
  await again.stop();
  expect(again.log().split('lies in the future').length - 1).toBe(1);
  const [after] = JSON.parse((await run('status', '--json')).stdout);
  expect(after).toMatchObject({ state: 'active' });
  expect(Date.parse(after.lastRotatedAt)).toBeLessThan(Date.now() + 1_000);
});

test('a drain that a clock a year ahead began is counted anew: its whole grace from then on, and no longer (G2, G4)', async () => {
  await using workspace = await openWorkspace(server);
  await using state = await rotatedWorkspace(workspace, policyWith(workspace, { grace: '2s' }));
  await keyturn(['rotate', 'app'], { cwd: workspace.folder });
  const first = await startWorkerProcess(workspace.folder, SWEEP_MS);
  await expect.poll(async () => (await state.ask('SELECT FROM public.seen')).length).toBe(1);
  await first.kill();
  await state.ask(`UPDATE keyturn.rotation SET published_at = published_at + interval '1 year' WHERE status = 'open';
                   UPDATE public.seen SET at = clock_timestamp()`);
  const second = await startWorkerProcess(workspace.folder, SWEEP_MS);
  await expect.poll(async () => (await state.ask(DONE))[0].count).toBe(2);
  await second.stop();
  expect((await state.graces())[0]).toBeGreaterThanOrEqual(2_000);
  expect(second.log()).toContain('counted from now on');
});

test('doctor on a host whose clock is an hour ahead calls it a failure and names the remedy (G6)', async () => {
  await using workspace = await openWorkspace(server);
  await using _state = await rotatedWorkspace(workspace, policyWith(workspace, {}));
  const { code, stdout } = await cli(['doctor'], { cwd: workspace.folder, env: shiftedClock(60 * MINUTE) });
  expect(code).toBe(1);
  expect(stdout).toMatch(/fail +clock +the clock of this machine is 3600 s ahead of the state database's/);
  expect(stdout).toContain('set the one that is wrong (NTP)');
});

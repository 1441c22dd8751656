import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { adminOf } from '../../support/admin.ts';
import { cli, startCli } from '../../support/cli.ts';
import { keyturn } from '../../support/keyturn.ts';
import { freePort } from '../../support/postgres-server.ts';
import { QUEUE_BACKENDS } from '../../support/queue-backends.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { uniqueName } from '../../support/unique-name.ts';
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.ts';
import { filePolicy, openWorkspace, type Workspace } from '../../support/workspace.ts';

let workspace: Workspace;
beforeEach(async () => {
  workspace = await openWorkspace(inject('postgres'));
});
afterEach(() => workspace[Symbol.asyncDispose]());

const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
const scheduled = (schedule: string, more = '') =>
  filePolicy(workspace.logins, `    schedule: ${schedule}\n${more}`);

interface Past {
  readonly policy: string;
  readonly status: string;
  readonly reason: string;
  readonly requestedAt: string;
}
const history = async (): Promise<Past[]> => JSON.parse((await run('history', '--json')).stdout);

describe('a running worker takes over within one sweep', () => {
  const SWEEP_MS = 500;
  let worker: WorkerProcess;
  const often = '{ every: 1s }';
  const start = async (yaml: string) => {
    await workspace.configure(yaml);
    worker = await startWorkerProcess(workspace.folder, SWEEP_MS);
  };
  afterEach(() => worker.stop());

  /** Resolves once the worker rotates, by itself and again and again. */
  const goesOn = async (policy: string) => {
    const before = (await history()).length;
    await expect
      .poll(async () => (await history()).filter((each) => each.policy === policy).length)
      .toBeGreaterThan(before + 1);
  };
  /** Resolves once no rotation has begun for as long as three would take. */
  const stays = () =>
    expect
      .poll(async () => {
        const before = (await history()).length;
        await sleep(3_000);
        return (await history()).length - before;
      })
      .toBe(0);
  /** Pauses a policy and resolves once its rotations are over. */
  const rests = async (policy: string) => {
    await run('pause', policy);
    await expect.poll(async () => (await history()).every(({ status }) => status === 'done')).toBe(true);
  };

  test('that a policy is switched off and on, renamed, and removed', async () => {
    await start(scheduled(often));
    await goesOn('app');
    await workspace.configure(scheduled(often, '    autoRotate: false\n'));
    await worker.says('the configuration was reloaded', 1);
    await stays();
    await workspace.configure(scheduled(often));
    await goesOn('app');
    // What is open under the old name would be in the way of the new one.
    await rests('app');
    await workspace.configure(scheduled(often).replace('  app:', '  renamed:'));
    await worker.says('the configuration was reloaded', 3);
    await goesOn('renamed');
    await workspace.configure('stores: {}\npolicies: {}\n');
    await worker.says('the configuration was reloaded', 4);
    await stays();
  });

  test('that a policy is paused and resumed', async () => {
    await start(scheduled(often));
    await goesOn('app');
    await run('pause', 'app');
    await stays();
    await run('resume', 'app');
    await goesOn('app');
  });

  test('that a time of day is moved to earlier, and another to later, on the same day', async () => {
    const other: [string, string] = [uniqueName('late_a'), uniqueName('late_b')];
    await using admin = await adminOf(inject('postgres'));
    for (const login of other) await admin.client.query(`CREATE ROLE ${login} NOLOGIN`);
    // The next full minute but for the last seconds of this one, and the same later today (or on the next).
    const soon = new Date(Math.ceil((Date.now() + 25_000) / 60_000) * 60_000);
    const later = new Date(soon.getTime() + 3 * 3_600_000);
    const time = (at: Date) => at.toISOString().slice(11, 16);
    const both = (early: Date, late: Date) =>
      `${scheduled(`{ every: 1d, at: "${time(early)}" }`)}  other:
    connection: db
    logins: ${JSON.stringify(other)}
    drain: { grace: 0s, timeout: 5s }
    schedule: { every: 1d, at: "${time(late)}" }
    publish: [{ store: files, create: true, secrets: { username: other/username, password: other/password } }]
`;
    await start(both(later, soon));
    await expect.poll(async () => (await history()).map(({ reason }) => reason)).toEqual(['first', 'first']);
    await expect.poll(async () => (await history()).every(({ status }) => status === 'done')).toBe(true);
    await run('pause', 'app', 'other');
    // Their first rotations are of today: a slot later today would be the interval's next only tomorrow.
    await workspace.configure(
      both(later, soon)
        .replaceAll('every: 1d, at:', 'cron:')
        .replace(/"(\d\d):(\d\d)"/g, '"$2 $1 * * *"'),
    );
    await run('resume', 'app', 'other');
    await worker.says('the configuration was reloaded', 1);
    await workspace.configure(
      both(soon, later)
        .replaceAll('every: 1d, at:', 'cron:')
        .replace(/"(\d\d):(\d\d)"/g, '"$2 $1 * * *"'),
    );
    await worker.says('the configuration was reloaded', 2);
    await expect
      .poll(
        async () =>
          (await history()).filter(({ reason }) => reason === 'schedule').map(({ policy }) => policy),
        {
          timeout: 120_000,
        },
      )
      .toEqual(['app']);
    expect(Date.now()).toBeGreaterThanOrEqual(soon.getTime());
    await stays();
    await worker.stop();
    for (const login of other) await admin.client.query(`DROP ROLE ${login}`);
  }, 240_000);
});

describe.each(QUEUE_BACKENDS)(
  'keyturn start while the queue on %s cannot be reached',
  (_name, open, available) => {
    test.skipIf(!available)(
      'says what it waits for, ends at the first signal, and comes up with it',
      async () => {
        await using place = await open();
        const url = new URL('redis' in place.backend ? place.backend.redis : workspace.stateUrl);
        const truth = { host: url.hostname, port: Number(url.port || 6379) };
        url.port = String(await freePort());
        await workspace.configure(
          'stores: {}\npolicies: {}\n',
          'redis' in place.backend ? { redis: url.href } : { state: url.href },
        );
        const worker = startCli(['start'], { cwd: workspace.folder });
        await worker.says('keyturn is waiting: ');
        // Long enough for another try, which says nothing new.
        await sleep(1_500);
        worker.process.kill('SIGTERM');
        expect(await worker.exited).toBe(0);
        const lines = worker.stderr().split('\n');
        expect(lines.filter((line) => line.includes('ECONNREFUSED')).length).toBeLessThanOrEqual(2);
        expect(worker.stderr()).toMatch(/is waiting: .*127\.0\.0\.1.*; check .*\n[^\n]*keyturn is stopping/);

        await using later = startCli(['start'], { cwd: workspace.folder });
        await later.says('ECONNREFUSED');
        const opened = await startTcpProxy({ ...truth, listen: Number(url.port) });
        await later.says('keyturn is ready');
        // And where it is lost again.
        if ('redis' in place.backend) {
          await opened[Symbol.asyncDispose]();
          await later.says('the worker has a fault');
        }
        later.process.kill('SIGINT');
        expect(await later.exited).toBe(0);
        await opened[Symbol.asyncDispose]();
      },
    );
  },
);

describe.each(QUEUE_BACKENDS)(
  'what has reached the queue on %s, which stalls then',
  (_name, open, available) => {
    test.skipIf(!available)('ends with a worker that is stopped, and with a command', async () => {
      await using place = await open();
      const url = new URL('redis' in place.backend ? place.backend.redis : workspace.stateUrl);
      await using proxy = await startTcpProxy({ host: url.hostname, port: Number(url.port || 6379) });
      url.port = String(proxy.port);
      await workspace.configure(
        filePolicy(workspace.logins),
        'redis' in place.backend ? { redis: url.href } : { state: url.href },
      );
      await using worker = startCli(['start'], { cwd: workspace.folder });
      await worker.says('keyturn is ready');
      await using command = startCli(['status', '--watch', '--json'], { cwd: workspace.folder });
      await command.says('"app"');
      // Until the test is over.
      proxy.stall(60_000);
      // What `docker stop` gives.
      const late = sleep(10_000, 'late', { ref: false });
      const both = [worker, command];
      for (const { process } of both) process.kill('SIGTERM');
      const ended = await Promise.race([Promise.all(both.map(({ exited }) => exited)), late]);
      for (const { process } of both) process.kill('SIGKILL');
      expect(ended).toEqual([0, 0]);
    });
  },
);

describe('keyturn start', () => {
  const redis = inject('redis');
  test.skipIf(!redis)('does not wait for a Redis that refuses its user', async () => {
    const url = new URL(String(redis));
    url.username = 'nobody';
    url.password = 'hidden';
    await workspace.configure('stores: {}\npolicies: {}\n', { redis: url.href });
    const { code, stderr } = await cli(['start'], { cwd: workspace.folder });
    expect(code).toBe(1);
    expect(stderr).toContain(
      `keyturn: The queue on ${url.host}: WRONGPASS invalid username-password pair or user is disabled.; check user and password in queue.redis`,
    );
    expect(stderr).not.toMatch(/is waiting|hidden/);
  });

  test("no session has anything from libpq's variables, which a configuration may refer to all the same", async () => {
    const { password } = inject('postgres');
    const env = {
      PGOPTIONS: '-c default_transaction_read_only=on',
      PGREPLICATION: 'database',
      PGHOST: 'nowhere.invalid',
      PGHOSTADDR: '192.0.2.1',
      PGPORT: '1',
      PGUSER: 'nobody',
      PGDATABASE: 'nowhere',
      PGPASSWORD: 'wrong',
      PGPASSFILE: '/nowhere',
      PGSERVICE: 'nowhere',
      PGSSLMODE: 'require',
      PGSSLNEGOTIATION: 'direct',
      PGCLIENTENCODING: 'SQL_ASCII',
      PGCLIENT_ENCODING: 'nonsense',
      PGAPPNAME: 'other',
      PGCONNECT_TIMEOUT: '1',
      PG_OF_THE_STATE: encodeURIComponent(password),
    };
    await workspace.configure(scheduled('{ every: 30d }'), {
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the configuration, not of JavaScript
      state: workspace.stateUrl.replace(`:${env.PG_OF_THE_STATE}@`, () => ':${PG_OF_THE_STATE}@'),
    });
    await using worker = startCli(['start'], { cwd: workspace.folder, env });
    await worker.says('keyturn is ready');
    expect(
      await cli(['rotate', 'app', '--wait', '--timeout', '90s'], { cwd: workspace.folder, env }),
    ).toMatchObject({
      code: 0,
    });
    await using admin = await adminOf(inject('postgres'));
    const { rows } = await admin.client.query(
      'SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = $1',
      [workspace.state],
    );
    expect(rows.length).toBeGreaterThan(1);
    for (const { application_name } of rows) expect(application_name).toMatch(/^keyturn/);
  });

  test('reloads on SIGHUP, refuses a configuration with problems, and goes on with the one before', async () => {
    await workspace.configure(scheduled('{ every: 30d }'));
    await using worker = startCli(['start'], { cwd: workspace.folder });
    await worker.says('keyturn is ready: 1 policy');
    await workspace.configure(scheduled('{ every: 30d, at: "25:00" }'));
    worker.process.kill('SIGHUP');
    await worker.says('the one before stays in force');
    await worker.says('config/keyturn.yaml:');
    await workspace.configure(scheduled('{ every: 30d, at: "05:00" }'));
    worker.process.kill('SIGHUP');
    await worker.says('the configuration was reloaded');
    expect(await run('rotate', 'app', '--wait', '--timeout', '90s')).toMatchObject({ code: 0 });
    worker.process.kill('SIGTERM');
    expect(await worker.exited).toBe(0);
  });
});

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { RedisSentinels } from '../../src/config/config.ts';
import { testQueue } from '../contract/queue.ts';
import { faultOfReaching } from '../support/fault-of-reaching.ts';
import { keyturn } from '../support/keyturn.ts';
import { freePort } from '../support/postgres-server.ts';
import type { RedisProcess } from '../support/redis-processes.ts';
import { type SentinelSetup, startSentinels } from '../support/redis-sentinels.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

const it = test.skipIf(inject('redis') === undefined);
let setup: SentinelSetup;
beforeAll(async () => {
  if (inject('redis') !== undefined) setup = await startSentinels();
});
afterAll(() => setup?.[Symbol.asyncDispose]());

describe('the queue on Sentinels', () => {
  const open = async () => {
    const empty = async () => void (await (await setup.primary()).ask('FLUSHALL'));
    await empty();
    return { backend: { redis: setup.redis }, [Symbol.asyncDispose]: empty };
  };
  testQueue(open, inject('redis') !== undefined);
});

const factOf = (change: Partial<RedisSentinels>) => faultOfReaching({ ...setup.redis, ...change });

it('says in bounded time what is wrong with the sentinels or the primary, and goes on to the next sentinel', async () => {
  const away = [await freePort(), await freePort()].map((port) => ({ host: '127.0.0.1', port }));
  const began = Date.now();
  const facts = await Promise.all([
    factOf({ sentinels: away }),
    factOf({ sentinels: [...away, ...setup.redis.sentinels] }),
    factOf({ password: 'wrong' }),
    factOf({ sentinelPassword: 'wrong' }),
    factOf({ name: 'another' }),
  ]);
  expect(Date.now() - began).toBeLessThan(20_000);
  const [first, second] = away.map(({ host, port }) => `${host}:${port}`);
  const refused = { code: 'queue-login-refused', params: { detail: expect.stringMatching(/^WRONGPASS /) } };
  expect(facts).toMatchObject([
    {
      code: 'queue-unreachable',
      params: { server: `${first}, ${second}`, detail: `connect ECONNREFUSED ${second}` },
    },
    undefined,
    refused,
    refused,
    { code: 'queue-primary-unknown', params: { name: 'another' } },
  ]);
});

it('G3: sends no password to a primary that is announced beyond loopback, without TLS', async () => {
  const tell = (...command: string[]) =>
    Promise.all(setup.sentinels.map((sentinel) => sentinel.ask('SENTINEL', ...command)));
  await tell('MONITOR', 'far', '192.0.2.1', '6379', '2');
  const [refused, tried] = await Promise.all([
    factOf({ name: 'far' }),
    factOf({ name: 'far', plaintext: true }),
  ]);
  expect(refused).toEqual({ code: 'queue-node-in-plaintext', params: { server: '192.0.2.1:6379' } });
  expect(tried?.code).toBe('queue-unreachable');
  await tell('REMOVE', 'far');
});

/** Has a worker fail over while a rotation is under way, and rotates again. */
async function expectToSurvive(fail: (primary: RedisProcess) => unknown): Promise<void> {
  await using workspace = await openWorkspace(inject('postgres'));
  const policy = filePolicy(workspace.logins).replace('grace: 0s', 'grace: 4s');
  await workspace.configure(policy, { redis: setup.entry });
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  const statuses = async () => {
    const { stdout } = await run('history', '--json');
    return (JSON.parse(stdout) as { status: string }[]).map(({ status }) => status);
  };
  const worker = await startWorkerProcess(workspace.folder, 1_000);
  try {
    expect(await run('rotate', 'app', '--wait')).toMatchObject({ code: 0 });
    expect(await run('rotate', 'app')).toMatchObject({ code: 0 });
    const primary = await setup.primary();
    await fail(primary);
    await setup.failover(primary);
    await expect.poll(statuses, { interval: 500 }).toEqual(['done', 'done']);
    expect(await run('rotate', 'app', '--wait')).toMatchObject({ code: 0 });
    expect(await run('status')).toMatchObject({ code: 0, stderr: '' });
    await workspace.logIn();
  } finally {
    await worker.stop();
  }
  expect(worker.log()).not.toContain('-pass-');
}

it('when the primary is killed, a rotation that is under way ends, and later ones run (G4)', () =>
  expectToSurvive((primary) => primary.kill()));

it('when the primary hangs, a rotation that is under way ends, and later ones run (G4)', () =>
  expectToSurvive((primary) => primary.signal('SIGSTOP')));

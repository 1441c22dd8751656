import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import type { RedisCluster } from '../../src/config/config.ts';
import { testQueue } from '../contract/queue.ts';
import { faultOfReaching } from '../support/fault-of-reaching.ts';
import { keyturn } from '../support/keyturn.ts';
import { freePort } from '../support/postgres-server.ts';
import { type ClusterSetup, startCluster, startLoneNode } from '../support/redis-cluster.ts';
import { startWorkerProcess } from '../support/worker-process.ts';
import { filePolicy, openWorkspace } from '../support/workspace.ts';

const it = test.skipIf(inject('redis') === undefined);
let setup: ClusterSetup;
beforeAll(async () => {
  if (inject('redis') !== undefined) setup = await startCluster();
});
afterAll(() => setup?.[Symbol.asyncDispose]());

describe('the queue on a Redis Cluster', () => {
  const open = async () => {
    const empty = async () => void (await (await setup.owner()).ask('FLUSHALL'));
    await empty();
    return { backend: { redis: setup.redis }, [Symbol.asyncDispose]: empty };
  };
  testQueue(open, inject('redis') !== undefined);
});

const factOf = (change: Partial<RedisCluster>) => faultOfReaching({ ...setup.redis, ...change });

it('says in bounded time what is wrong with the cluster, and goes on to the next node', async () => {
  const [away] = [await freePort()].map((port) => ({ host: '127.0.0.1', port }));
  const began = Date.now();
  const facts = await Promise.all([
    factOf({ cluster: away ? [away] : [] }),
    factOf({ cluster: away ? [away, ...setup.redis.cluster] : [] }),
    factOf({ password: 'wrong' }),
  ]);
  expect(Date.now() - began).toBeLessThan(20_000);
  const server = `127.0.0.1:${away?.port}`;
  expect(facts).toMatchObject([
    { code: 'queue-unreachable', params: { server, detail: `connect ECONNREFUSED ${server}` } },
    undefined,
    { code: 'queue-login-refused', params: { detail: expect.stringMatching(/^WRONGPASS /) } },
  ]);
});

it('G3: sends no password to nodes that are announced beyond loopback, without TLS', async () => {
  await using node = await startLoneNode(['--cluster-announce-ip', '192.0.2.1']);
  const cluster = [{ host: '127.0.0.1', port: node.port }];
  expect(await factOf({ cluster })).toEqual({
    code: 'queue-node-in-plaintext',
    params: { server: `192.0.2.1:${node.port}` },
  });
});

it('all keys are in one slot; the failover of their node loses no rotation, nor does a flush after it (G4)', async () => {
  await using workspace = await openWorkspace(inject('postgres'));
  const policy = filePolicy(workspace.logins, '    schedule: { every: 30d }\n');
  await workspace.configure(policy.replace('grace: 0s', 'grace: 4s'), { redis: setup.entry });
  const run = (...args: string[]) => keyturn(args, { cwd: workspace.folder });
  const worker = await startWorkerProcess(workspace.folder, 1_000);
  const statuses = async () => {
    const { stdout } = await run('history', '--json');
    return (JSON.parse(stdout) as { status: string }[]).map(({ status }) => status);
  };
  // The first one is due at once.
  await expect.poll(statuses).toEqual(['done']);

  expect(await run('rotate', 'app')).toMatchObject({ code: 0 });
  const owner = await setup.owner();
  for (const node of setup.nodes) {
    const role = String(await node.ask('INFO', 'replication'));
    const keys = role.includes('role:master') ? ((await node.ask('KEYS', '*')) as string[]) : [];
    if (node !== owner) expect(keys).toEqual([]);
    else expect(keys).toContain('{keyturn}:keyturn:repeat:slot-app');
  }
  const [other] = setup.nodes.filter((node) => node !== owner);
  await owner.kill();
  await expect.poll(async () => (await setup.owner(other)) !== owner).toBe(true);
  await (await setup.owner(other)).ask('FLUSHALL');
  await expect.poll(statuses, { interval: 500 }).toEqual(['done', 'done']);

  expect(await run('rotate', 'app', '--wait')).toMatchObject({ code: 0 });
  expect(await run('status')).toMatchObject({ code: 0, stderr: '' });
  await workspace.logIn();
  await worker.stop();
  expect(worker.log()).not.toContain('-pass-');
});

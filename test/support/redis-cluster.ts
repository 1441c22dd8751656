import { createServer } from 'node:net';
import type { RedisCluster } from '../../src/config/config.ts';
import { freePort } from './postgres-server.ts';
import {
  type RedisProcess,
  type RedisProcesses,
  redisProcesses,
  startedWith,
  until,
} from './redis-processes.ts';

/** A Redis Cluster of three primaries with a replica each, with a password. */
export interface ClusterSetup extends AsyncDisposable {
  readonly redis: RedisCluster;
  /** The same as `queue.redis` has it in a file. */
  readonly entry: Readonly<Record<string, unknown>>;
  readonly nodes: readonly RedisProcess[];
  /** The node that serves the queue's keys, as another one has it. */
  owner(asked?: RedisProcess): Promise<RedisProcess>;
}

export const CLUSTER_PASSWORD = 'cluster-pass-1';

export function startCluster(): Promise<ClusterSetup> {
  return startedWith(start);
}

async function start(processes: RedisProcesses): Promise<ClusterSetup> {
  const nodes = await Promise.all(Array.from({ length: 6 }, () => startNode(processes)));
  const primaries = nodes.slice(0, 3);
  for (const [index, node] of primaries.entries()) {
    const slots = Array.from({ length: 16_384 }, (_, slot) => slot).filter(
      (slot) => Math.floor(slot / 5_462) === index,
    );
    await node.ask('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
    await node.ask('CLUSTER', 'ADDSLOTS', ...slots.map(String));
  }
  const [first] = nodes;
  for (const { port } of nodes.slice(1))
    await first?.ask('CLUSTER', 'MEET', '127.0.0.1', String(port), String(port + BUS));
  for (const node of nodes) await until(async () => (await known(node)).length === 6);
  for (const [index, node] of primaries.entries()) {
    const id = String(await node.ask('CLUSTER', 'MYID'));
    await nodes[index + 3]?.ask('CLUSTER', 'REPLICATE', id);
  }
  for (const node of nodes) {
    await until(async () => {
      const lines = await known(node);
      const isUp = String(await node.ask('CLUSTER', 'INFO')).includes('cluster_state:ok');
      return isUp && lines.filter((line) => line.includes('slave')).length === 3;
    });
  }
  for (const replica of nodes.slice(3)) {
    await until(async () => String(await replica.ask('INFO', 'replication')).includes('link_status:up'));
  }
  return {
    redis: {
      cluster: nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
      password: CLUSTER_PASSWORD,
      tls: { mode: 'disable' },
      plaintext: false,
    },
    entry: { cluster: nodes.slice(0, 3).map(({ port }) => `127.0.0.1:${port}`), password: CLUSTER_PASSWORD },
    nodes,
    owner: (asked = nodes[0]) => ownerAmong(nodes, asked),
    [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose](),
  };
}

async function ownerAmong(
  nodes: readonly RedisProcess[],
  asked: RedisProcess | undefined,
): Promise<RedisProcess> {
  const slot = Number(await asked?.ask('CLUSTER', 'KEYSLOT', '{keyturn}'));
  const ranges = (await asked?.ask('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
  const [, , node] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [];
  const owner = nodes.find(({ port }) => port === node?.[1]);
  if (owner === undefined) throw new Error(`no node serves slot ${slot}`);
  return owner;
}

async function known(node: RedisProcess): Promise<string[]> {
  return String(await node.ask('CLUSTER', 'NODES'))
    .trim()
    .split('\n');
}

/** A cluster of one node that serves all slots, as its `args` have it. */
export async function startLoneNode(
  args: readonly string[],
  ca?: string,
): Promise<{ readonly port: number } & AsyncDisposable> {
  const processes = await redisProcesses();
  const node = await startNode(processes, args, ca);
  await node.ask('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => String(slot)));
  await until(async () => String(await node.ask('CLUSTER', 'INFO')).includes('cluster_state:ok'));
  return { port: node.port, [Symbol.asyncDispose]: () => processes[Symbol.asyncDispose]() };
}

/** The port of a node's bus is this much higher. */
const BUS = 10_000;

async function startNode(
  processes: RedisProcesses,
  more: readonly string[] = [],
  ca?: string,
): Promise<RedisProcess> {
  const port = await portWithBus();
  const args = [
    ...['--cluster-enabled', 'yes', '--cluster-config-file', `nodes-${port}.conf`],
    ...[
      '--cluster-node-timeout',
      '1000',
      '--requirepass',
      CLUSTER_PASSWORD,
      '--masterauth',
      CLUSTER_PASSWORD,
    ],
    ...['--save', '', '--dbfilename', `dump-${port}.rdb`, '--repl-diskless-sync-delay', '0'],
    ...more,
  ];
  return processes.start({ args, port, password: CLUSTER_PASSWORD, ...(ca === undefined ? {} : { ca }) });
}

async function portWithBus(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (port + BUS < 65_536 && (await isFree(port + BUS))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

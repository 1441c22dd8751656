import type { QueueRedis, RedisAccess, RedisNode } from './config.ts';
import type { Review } from './review.ts';
import type { QueueEntry } from './schema/queue-entry.ts';
import type { ClusterEntry, SentinelsEntry } from './schema/redis-schema.ts';
import { readTls } from './tls/read-tls.ts';
import { isLoopback } from './values/server.ts';
import type { ReadText } from './yaml/read-text.ts';

const PATH = ['queue', 'redis'];

/** The Redis of the queue; undefined where none is configured, or where it lacks something. */
export function buildQueueRedis(
  review: Review,
  { redis }: QueueEntry,
  readText: ReadText,
): QueueRedis | undefined {
  // An empty value counts as unset.
  if (typeof redis !== 'object') return redis || undefined;
  if (!('sentinels' in redis)) return buildCluster(review, redis, readText);
  const { sentinels, name, database, sentinelUsername, sentinelPassword } = redis;
  const access = buildAccess(review, 'sentinels', sentinels, redis, readText);
  if (sentinels === undefined || access === undefined) return undefined;
  if (name === undefined || database === undefined) return undefined;
  return {
    sentinels,
    name,
    database,
    ...(sentinelUsername === undefined ? {} : { sentinelUsername }),
    ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
    ...access,
  };
}

function buildCluster(review: Review, entry: Partial<ClusterEntry>, readText: ReadText) {
  const access = buildAccess(review, 'cluster', entry.cluster, entry, readText);
  return entry.cluster === undefined || access === undefined
    ? undefined
    : { cluster: entry.cluster, ...access };
}

/** The mode of TLS is one for all nodes: those that are announced later are not known yet. */
function buildAccess(
  review: Review,
  list: 'sentinels' | 'cluster',
  nodes: readonly RedisNode[] | undefined,
  { username, password, tls }: Partial<SentinelsEntry | ClusterEntry>,
  readText: ReadText,
): RedisAccess | undefined {
  if (nodes === undefined || tls === undefined) return undefined;
  const beyond = nodes.findIndex(({ host }) => !isLoopback(host));
  const index = Math.max(beyond, 0);
  const node = [...PATH, list, index];
  const shown = review.keysAt(node) === undefined ? node : [...node, 'host'];
  const encrypted = { host: nodes[index]?.host ?? '', tls, hostAt: shown };
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    tls: readTls(review, PATH, encrypted, readText),
    plaintext: tls.mode === 'disable',
  };
}

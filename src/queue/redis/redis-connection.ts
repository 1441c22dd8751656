import type { ConnectionOptions } from 'bullmq';
import { Cluster, type RedisOptions } from 'ioredis';
import type { QueueRedis, RedisAccess, RedisCluster } from '../../config/config.ts';
import { Fault } from '../../facts/fault.ts';
import { nodeConnector } from './node-connector.ts';
import { CONNECT_PATIENCE_MS, tlsOptions } from './redis-socket.ts';
import { sentinelConnector } from './sentinel-connector.ts';

/** After a lost connection; BullMQ's own would come to wait for twenty seconds. */
const RETRY_MS = 1_000;
/** A server that answers nothing for so long is left. BullMQ waits ten seconds for a job. */
const SILENCE_MS = 15_000;
/** A cluster may announce any number of nodes. */
const MAX_REFUSALS = 16;
/** How often a request is sent again while the cluster chooses a new primary. */
const FAILOVER_RETRY_MS = 250;
const FAILOVER_RETRIES = { impatient: 30, patient: 120 };

/**
 * What BullMQ connects by: options for clients of its own, or a cluster. `maxRetries`: how often a
 * request waits for a new connection; null: until there is one.
 */
export function redisConnection(
  redis: QueueRedis,
  { maxRetries }: { readonly maxRetries: number | null },
): ConnectionOptions {
  const options = {
    maxRetriesPerRequest: maxRetries,
    retryStrategy: () => RETRY_MS,
    socketTimeout: SILENCE_MS,
  };
  if (typeof redis === 'string') return { url: redis, ...options };
  if ('cluster' in redis) return openCluster(redis, maxRetries);
  return {
    ...options,
    ...credentials(redis),
    db: redis.database,
    Connector: sentinelConnector(redis),
    // A primary that a failover made a replica without closing its connections: connect anew, and
    // send the request again.
    reconnectOnError: ({ message }: Error) => (/\bREADONLY You can't write\b/.test(message) ? 2 : false),
  };
}

/**
 * Whether no node of a cluster is left. Requests would wait for one without end, and collect. The
 * other forms give up by themselves.
 */
export function isLost(connection: ConnectionOptions): boolean {
  return connection instanceof Cluster && connection.status !== 'ready';
}

/** Ends what BullMQ leaves open, because it did not open it. */
export function endConnection(connection: ConnectionOptions): void {
  if (connection instanceof Cluster) connection.disconnect();
}

function openCluster(redis: RedisCluster, maxRetries: number | null): Cluster {
  const cluster = new Cluster([...redis.cluster], {
    // Otherwise certificates would be checked for addresses in place of the names.
    dnsLookup: (host, done) => done(null, host),
    clusterRetryStrategy: () => RETRY_MS,
    // Where it fails, ioredis never settles the promise of connecting, and BullMQ's worker waits
    // for that for ever. Requests to a cluster that is down are sent again, as in a failover.
    enableReadyCheck: false,
    retryDelayOnFailover: FAILOVER_RETRY_MS,
    retryDelayOnClusterDown: FAILOVER_RETRY_MS,
    maxRedirections: maxRetries === null ? FAILOVER_RETRIES.patient : FAILOVER_RETRIES.impatient,
    slotsRefreshTimeout: CONNECT_PATIENCE_MS,
    redisOptions: {
      ...credentials(redis),
      Connector: nodeConnector(redis),
      socketTimeout: SILENCE_MS,
      maxRetriesPerRequest: null,
      // Of no use beside the connector; but ioredis has clients that do not get that.
      ...(redis.tls.mode === 'disable' ? {} : { tls: tlsOptions(redis.tls) }),
    },
  });
  tellRefusals(cluster);
  return cluster;
}

/** Reports nodes that `dial` refuses, each once: the cluster reports its last node only. */
function tellRefusals(cluster: Cluster): void {
  const told = new Set<string>();
  cluster.on('node error', ({ cause }: Error) => {
    if (!(cause instanceof Fault) || told.size >= MAX_REFUSALS) return;
    const refusal = JSON.stringify(cause.fact);
    if (told.has(refusal)) return;
    told.add(refusal);
    // Once BullMQ has closed, nobody listens, and Node.js would throw it.
    if (cluster.listenerCount('error') > 0) cluster.emit('error', cause);
  });
}

function credentials({ username, password }: RedisAccess): Pick<RedisOptions, 'username' | 'password'> {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  };
}

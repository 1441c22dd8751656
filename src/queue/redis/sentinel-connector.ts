import { Socket } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import type { RedisNode, RedisSentinels } from '../../config/config.ts';
import { fault } from '../../facts/fault.ts';
import { GuardedConnector, nodeConnector } from './node-connector.ts';
import { CONNECT_PATIENCE_MS, nodeName } from './redis-socket.ts';

type Connector = NonNullable<RedisOptions['Connector']>;

/**
 * The connector for the primary that the sentinels name. ioredis has one of its own, but that
 * waits for sentinels without end, hides why they do not answer, and connects to whatever they
 * name. https://redis.io/docs/latest/develop/reference/sentinel-clients/
 */
export function sentinelConnector(redis: RedisSentinels): Connector {
  const order = [...redis.sentinels];
  return class extends SentinelConnector {
    constructor() {
      super(redis, order);
    }
  };
}

class SentinelConnector extends GuardedConnector {
  readonly #redis: RedisSentinels;
  /** Whom all clients of this process ask, the first one first: the one that answered last. */
  readonly #order: RedisNode[];
  #asked: RedisNode | undefined;

  constructor(redis: RedisSentinels, order: RedisNode[]) {
    super(redis);
    this.#redis = redis;
    this.#order = order;
  }

  async connect(): Promise<Socket> {
    this.connecting = true;
    let latest: unknown;
    for (const sentinel of [...this.#order]) {
      try {
        const socket = await this.open(await primaryBy(sentinel, this.#redis));
        this.#asked = sentinel;
        this.#move(sentinel, 'front');
        return socket;
      } catch (error) {
        latest = error;
      }
      if (!this.connecting) throw latest;
    }
    return this.#failed(latest);
  }

  /** ioredis tries again after a socket that failed, and never after a rejection. */
  #failed(error: unknown): Socket {
    this.firstError = error as Error;
    const socket = new Socket().on('error', () => {});
    this.stream = socket;
    return socket.destroy();
  }

  /** Whether it is the primary, by its own word. A sentinel may not have heard of a failover. */
  override check({ role }: { readonly role?: string }): boolean {
    if (role === 'master') return true;
    if (this.#asked !== undefined) this.#move(this.#asked, 'back');
    return false;
  }

  #move(sentinel: RedisNode, to: 'front' | 'back'): void {
    this.#order.splice(this.#order.indexOf(sentinel), 1);
    if (to === 'front') this.#order.unshift(sentinel);
    else this.#order.push(sentinel);
  }
}

/** What a sentinel says is the primary, in bounded time. */
async function primaryBy(sentinel: RedisNode, redis: RedisSentinels): Promise<RedisNode> {
  const client = new Redis({
    ...sentinel,
    Connector: nodeConnector(redis),
    ...(redis.sentinelUsername === undefined ? {} : { username: redis.sentinelUsername }),
    ...(redis.sentinelPassword === undefined ? {} : { password: redis.sentinelPassword }),
    commandTimeout: 2 * CONNECT_PATIENCE_MS,
    retryStrategy: null,
    enableReadyCheck: false,
    lazyConnect: true,
  });
  client.on('error', () => {});
  try {
    const [host, port] = ((await client.call('SENTINEL', 'get-master-addr-by-name', redis.name)) ??
      []) as string[];
    if (host === undefined) {
      throw fault('queue-primary-unknown', { server: nodeName(sentinel), name: redis.name });
    }
    return { host, port: Number(port) };
  } catch (error) {
    throw (error as Error).cause ?? error;
  } finally {
    client.disconnect();
  }
}

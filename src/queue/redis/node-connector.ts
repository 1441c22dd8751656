import type { Socket } from 'node:net';
import { AbstractConnector, type RedisOptions } from 'ioredis';
import type { RedisAccess, RedisNode } from '../../config/config.ts';
import { CLOSED, dial, untilConnected } from './redis-socket.ts';

type Connector = NonNullable<RedisOptions['Connector']>;

/** Closes a socket by itself if it does not end at once; milliseconds. */
const DISCONNECT_PATIENCE_MS = 2_000;

/** Opens the sockets of ioredis, so that each node is judged by `dial`. */
export abstract class GuardedConnector extends AbstractConnector {
  readonly #access: RedisAccess;

  constructor(access: RedisAccess) {
    super(DISCONNECT_PATIENCE_MS);
    this.#access = access;
  }

  /** A connected socket. Rejects when the client was closed meanwhile, too. */
  protected async open(node: RedisNode): Promise<Socket> {
    const socket = dial(node, this.#access);
    this.stream = socket;
    await untilConnected(socket, node);
    if (this.connecting) return socket;
    socket.destroy();
    throw new Error(CLOSED);
  }
}

/** The connector for one node, of a cluster or a sentinel: it tries once. */
export function nodeConnector(access: RedisAccess): Connector {
  return class NodeConnector extends GuardedConnector {
    readonly #node: RedisNode;

    constructor(options: unknown) {
      super(access);
      // ioredis hands over the options of the client, which has host and port.
      const { host, port } = options as RedisNode;
      this.#node = { host, port };
    }

    async connect(): Promise<Socket> {
      this.connecting = true;
      try {
        return await this.open(this.#node);
      } catch (cause) {
        // The cluster looks for another node after this error only.
        throw new Error(CLOSED, { cause });
      }
    }
  };
}

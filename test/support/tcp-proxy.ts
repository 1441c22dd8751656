import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be made bad. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** What crossed each connection so far, where the proxy records. */
  readonly recordings: readonly Recording[];
  /** Cuts every connection. */
  drop(): void;
  /** Ends the server's side of every connection, and leaves the client's open. */
  halfClose(): void;
  /** Lets nothing through for so long, in milliseconds. */
  stall(milliseconds: number): void;
}

export interface Recording {
  readonly fromClient: Buffer[];
  readonly fromServer: Buffer[];
}

export async function startTcpProxy(target: {
  readonly host: string;
  readonly port: number;
  /** The port to listen on; any free one unless told. */
  readonly listen?: number;
  /** Whether to keep every byte. */
  readonly record?: boolean;
}): Promise<TcpProxy> {
  const recordings: Recording[] = [];
  const pairs = new Set<{ client: Socket; server: Socket }>();
  let stalledUntil = 0;
  const proxy = createServer((client) => {
    const server = connect(target.port, target.host);
    const pair = { client, server };
    pairs.add(pair);
    const end = () => {
      client.destroy();
      server.destroy();
      pairs.delete(pair);
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    if (target.record) {
      const recording: Recording = { fromClient: [], fromServer: [] };
      recordings.push(recording);
      client.on('data', (chunk) => recording.fromClient.push(chunk));
      server.on('data', (chunk) => recording.fromServer.push(chunk));
    }
    const pass = (from: Socket, to: Socket) =>
      from.on('data', (chunk) => {
        const wait = stalledUntil - Date.now();
        if (wait <= 0) to.write(chunk);
        else {
          from.pause();
          setTimeout(() => {
            to.write(chunk);
            from.resume();
          }, wait);
        }
      });
    pass(client, server);
    pass(server, client);
  });
  await new Promise<void>((listening) => proxy.listen(target.listen ?? 0, '127.0.0.1', listening));
  const drop = () => {
    for (const { client, server } of pairs) {
      client.destroy();
      server.destroy();
    }
  };
  return {
    recordings,
    port: (proxy.address() as AddressInfo).port,
    drop,
    halfClose() {
      for (const { server } of pairs) server.end();
    },
    stall(milliseconds) {
      stalledUntil = Date.now() + milliseconds;
    },
    async [Symbol.asyncDispose]() {
      drop();
      await new Promise((closed) => proxy.close(closed));
    },
  };
}

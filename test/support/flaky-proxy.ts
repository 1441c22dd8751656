import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that is away for a while, counted in connections. */
export interface FlakyProxy extends AsyncDisposable {
  readonly port: number;
  /** How many connections were asked for so far. */
  readonly asked: () => number;
}

/**
 * Lets `good` connections through. When the next is asked for it cuts all, and refuses that one and the two that
 * follow; after that it is well.
 */
export async function startFlakyProxy(
  target: { readonly host: string; readonly port: number },
  good: number,
): Promise<FlakyProxy> {
  return listen(target, (asked, sockets) => {
    const isAway = asked > good && asked <= good + 3;
    if (isAway) for (const socket of sockets) socket.destroy();
    return isAway ? 'refuse' : 'pass';
  });
}

/** Lets `good` connections through, and is silent from the next one on: it accepts all, and nothing passes any more. */
export async function startStallingProxy(
  target: { readonly host: string; readonly port: number },
  good: number,
): Promise<FlakyProxy> {
  return listen(target, (asked, sockets) => {
    if (asked <= good) return 'pass';
    for (const socket of sockets) {
      socket.unpipe();
      socket.pause();
    }
    return 'ignore';
  });
}

async function listen(
  target: { readonly host: string; readonly port: number },
  judge: (asked: number, sockets: ReadonlySet<Socket>) => 'pass' | 'refuse' | 'ignore',
): Promise<FlakyProxy> {
  const sockets = new Set<Socket>();
  let asked = 0;
  const proxy = createServer((client) => {
    asked += 1;
    const verdict = judge(asked, sockets);
    const pair = verdict === 'pass' ? [client, connect(target.port, target.host)] : [client];
    const end = () => {
      for (const socket of pair) {
        socket.destroy();
        sockets.delete(socket);
      }
    };
    for (const socket of pair) {
      sockets.add(socket);
      socket.on('error', end).on('close', end);
    }
    if (verdict === 'refuse') end();
    const [, server] = pair;
    if (server) client.pipe(server).pipe(client);
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  return {
    port: (proxy.address() as AddressInfo).port,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => proxy.close(closed));
    },
  };
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that sends its headers at once, and then nothing, or a byte now and then without end. */
export async function startTricklingServer(
  body: 'nothing' | 'bytes',
): Promise<{ readonly url: string; readonly connections: () => Promise<number> } & AsyncDisposable> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' });
    response.flushHeaders();
    if (body === 'nothing') return;
    const trickling = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(trickling));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () =>
      new Promise((told, failed) => {
        server.getConnections((error, count) => (error ? failed(error) : told(count)));
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

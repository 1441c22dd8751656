import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { HttpClient } from '../../../src/secret-store/http/http-client.ts';

const slow: readonly (readonly [name: string, answer: (response: ServerResponse) => void])[] = [
  ['never answers', () => {}],
  [
    'sends a byte now and then',
    (response) => {
      response.writeHead(200);
      const dripping = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(dripping));
    },
  ],
];

test.each(slow)(
  'a server that %s is waited for no longer than the time of the whole exchange',
  async (_, answer) => {
    const server = createServer((_request, response) => answer(response));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    const client = new HttpClient({ url: `http://127.0.0.1:${port}` }, { timeout: 300 });
    try {
      await expect(client.send({ method: 'GET', path: '/' })).rejects.toMatchObject({
        kind: 'unreachable',
        detail: 'ETIMEDOUT',
      });
    } finally {
      client.close();
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  },
);

test('a server that answers with another protocol is told at once, and nothing waits for it (G5)', async () => {
  const server = createServer((request) => {
    request.socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  const client = new HttpClient({ url: `http://127.0.0.1:${port}` });
  try {
    expect(await client.send({ method: 'GET', path: '/' })).toMatchObject({ status: 101, text: '' });
  } finally {
    client.close();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

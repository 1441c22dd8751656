import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { tell } from '../../src/messages/tell.ts';
import { openQueue } from '../../src/queue/queue.ts';
import { testQueue } from '../contract/queue.ts';
import { haveOpenssl, selfSigned } from '../support/certificates.ts';
import { freePort } from '../support/postgres-server.ts';
import { QUEUE_BACKENDS } from '../support/queue-backends.ts';

describe.each(QUEUE_BACKENDS)('the queue on %s', (_name, open, available) => testQueue(open, available));

test.skipIf(!haveOpenssl)('tells a Redis that will not be reached by waiting from one that may', async () => {
  const sockets = new Set<Socket>();
  const listen = async (server: Server) => {
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const address = server.address();
    return typeof address === 'object' ? address?.port : undefined;
  };
  const untrusted = createTlsServer(await selfSigned('redis'));
  const withoutTls = createServer((socket) => socket.on('error', () => {}).end('-ERR Protocol error\r\n'));
  const codeOf = async (redis: string) => {
    const queue = openQueue({ redis }, { nextSlot: async () => undefined, onFault: () => {} });
    const { fact } = await queue.reach().catch((error) => error);
    await queue.close();
    return [fact.code, tell(fact).replace(/:\d+/, '')];
  };
  const codes = await Promise.all([
    codeOf(`rediss://127.0.0.1:${await listen(untrusted)}`),
    codeOf(`rediss://127.0.0.1:${await listen(withoutTls)}`),
    codeOf(`redis://127.0.0.1:${await freePort()}`),
  ]);
  expect(codes).toEqual([
    [
      'queue-tls-failed',
      expect.stringMatching(/^The queue on 127\.0\.0\.1: self-signed certificate; .*TLS.* CA /),
    ],
    ['queue-tls-failed', expect.stringMatching(/wrong version number.*; check queue\.redis: TLS /s)],
    [
      'queue-unreachable',
      expect.stringMatching(/ECONNREFUSED.*; check queue\.redis, and that Redis is up; /),
    ],
  ]);
  for (const socket of sockets) socket.destroy();
  for (const server of [untrusted, withoutTls]) await new Promise((closed) => server.close(closed));
});

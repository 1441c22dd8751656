import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export type AwsFault = 'throttle' | 'deny' | 'error' | 'applied, but no answer';

/** A way to AWS Secrets Manager that can be made bad for a while. */
export interface AwsProxy extends AsyncDisposable {
  readonly url: string;
  /** The actions that were asked for, in order. */
  readonly actions: string[];
  /** Every request from now on, until as many milliseconds are over or `mend` is called. */
  fail(fault: AwsFault, milliseconds?: number): void;
  mend(): void;
}

export async function startAwsProxy(target: string): Promise<AwsProxy> {
  let fault: AwsFault | undefined;
  let until = 0;
  const actions: string[] = [];
  const proxy = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    actions.push(String(request.headers['x-amz-target']).replace('secretsmanager.', ''));
    const now = Date.now() < until ? fault : undefined;
    const refuse = (status: number, type: string) =>
      response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify({ __type: type, message: 'chaos' }));
    if (now === 'throttle') return refuse(400, 'ThrottlingException');
    if (now === 'deny') return refuse(400, 'AccessDeniedException');
    if (now === 'error') return refuse(500, 'InternalServiceError');
    const { host, connection, 'content-length': length, ...headers } = request.headers;
    try {
      const answer = await fetch(target + (request.url ?? '/'), {
        method: request.method ?? 'POST',
        headers: headers as Record<string, string>,
        body: Buffer.concat(chunks),
      });
      const body = Buffer.from(await answer.arrayBuffer());
      if (now) return response.destroy();
      response
        .writeHead(answer.status, {
          'content-type': answer.headers.get('content-type') ?? 'application/json',
        })
        .end(body);
    } catch {
      response.destroy();
    }
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    actions,
    fail(next, milliseconds = Number.POSITIVE_INFINITY) {
      fault = next;
      until = Date.now() + milliseconds;
    },
    mend() {
      until = 0;
    },
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((closed) => proxy.close(closed));
    },
  };
}

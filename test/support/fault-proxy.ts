import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What goes wrong with a request. Those that were `applied` reached the server, and the answer is lost. */
export type HttpFault =
  | { readonly status: number; readonly body?: object; readonly retryAfter?: number }
  | 'applied, but no answer'
  | 'applied, and half an answer'
  | 'a redirect'
  | 'no JSON'
  | 'too much';

/** A way to a store over HTTP that can be made bad. */
export interface FaultProxy extends AsyncDisposable {
  readonly url: string;
  /** How many requests came since the last call of `fail` or `mend`. */
  readonly count: () => number;
  /** Has requests fail from the one with this number on, the first being 0; `times` of them. */
  fail(fault: HttpFault, from?: number, times?: number): void;
  mend(): void;
}

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  let plan: { readonly fault: HttpFault; readonly from: number; readonly times: number } | undefined;
  let count = 0;
  const proxy = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const number = count;
    count += 1;
    const isBad = plan !== undefined && number >= plan.from && number < plan.from + plan.times;
    const fault = isBad ? plan?.fault : undefined;
    if (fault !== undefined && !isApplied(fault)) return tell(response, fault);
    const answer = await forward(target, request, Buffer.concat(chunks)).catch(() => undefined);
    if (answer === undefined || fault === 'applied, but no answer') return response.destroy();
    const headers = { 'content-type': answer.type, 'content-length': String(answer.body.length) };
    response.writeHead(answer.status, headers);
    if (fault === undefined) return response.end(answer.body);
    response.write(answer.body.subarray(0, Math.floor(answer.body.length / 2)));
    setImmediate(() => response.destroy());
  });
  await new Promise<void>((listening) => proxy.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    count: () => count,
    fail(fault, from = 0, times = Number.POSITIVE_INFINITY) {
      plan = { fault, from, times };
      count = 0;
    },
    mend() {
      plan = undefined;
      count = 0;
    },
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((closed) => proxy.close(closed));
    },
  };
}

function isApplied(fault: HttpFault): boolean {
  return typeof fault === 'string' && fault.startsWith('applied');
}

async function forward(target: string, request: IncomingMessage, body: Buffer) {
  const { host, connection, 'content-length': length, ...headers } = request.headers;
  const answer = await fetch(target + (request.url ?? '/'), {
    method: request.method ?? 'GET',
    headers: headers as Record<string, string>,
    redirect: 'manual',
    ...(body.length > 0 ? { body } : {}),
  });
  const type = answer.headers.get('content-type') ?? 'application/json';
  return { status: answer.status, type, body: Buffer.from(await answer.arrayBuffer()) };
}

function tell(response: ServerResponse, fault: HttpFault): void {
  if (fault === 'a redirect') {
    response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end();
  } else if (fault === 'no JSON') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
  } else if (fault === 'too much') {
    response.writeHead(200, { 'content-type': 'application/json' });
    // Five times 1 MiB, and more than a store may answer.
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    for (let part = 0; part < 5; part += 1) response.write(chunk);
    response.end();
  } else if (typeof fault === 'object') {
    const after = fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) };
    response
      .writeHead(fault.status, { 'content-type': 'application/json', ...after })
      .end(JSON.stringify(fault.body ?? {}));
  }
}

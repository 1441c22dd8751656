import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** A request as a double judges it. */
export interface Asked {
  readonly method: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Parsed JSON; undefined where there is no body. */
  readonly body: unknown;
}

export interface Told {
  readonly status: number;
  /** Left out: no body. */
  readonly body?: object | string;
}

/** Thrown by a double: the request breaks the documented protocol. */
export class Breach extends Error {
  override readonly name = 'Breach';
}

export function demand(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Breach(what);
}

/** A double of a server whose protocol is documented. What breaks the protocol is noted, and answered with 400. */
export interface StrictServer extends AsyncDisposable {
  readonly url: string;
  /** Each request that breaks the protocol. Expect it to be empty. */
  readonly breaches: readonly string[];
  /** `GET /path` of each request, in order. */
  readonly requests: readonly string[];
  /** How many connections were made. */
  readonly connections: () => number;
}

export async function startStrictServer(
  answer: (asked: Asked) => Told,
  tls?: { readonly cert: string; readonly key: string },
): Promise<StrictServer> {
  const breaches: string[] = [];
  const requests: string[] = [];
  const listener: Parameters<typeof createServer>[1] = async (incoming, response) => {
    const what = `${incoming.method} ${incoming.url}`;
    requests.push(what);
    let told: Told;
    try {
      told = answer(await askedOf(incoming));
    } catch (error) {
      breaches.push(`${what}: ${(error as Error).message}`);
      told = { status: 400, body: { breach: (error as Error).message } };
    }
    const text =
      told.body === undefined ? '' : typeof told.body === 'string' ? told.body : JSON.stringify(told.body);
    const headers = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) };
    response.writeHead(told.status, headers).end(text);
  };
  const server: Server = tls ? createSecureServer(tls, listener) : createServer(listener);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    breaches,
    requests,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

async function askedOf(incoming: IncomingMessage): Promise<Asked> {
  let text = '';
  for await (const chunk of incoming) text += chunk;
  const url = new URL(incoming.url ?? '/', 'http://double');
  return {
    method: incoming.method ?? '',
    path: url.pathname.split('/').map(decodeURIComponent).join('/'),
    query: url.searchParams,
    headers: incoming.headers,
    body: text === '' ? undefined : JSON.parse(text),
  };
}

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** What a receiver was sent, as it came. */
export interface Received {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The body, if the signature is right. */
  readonly event: ReceivedEvent | undefined;
}

export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly data: { readonly policy: string; readonly code: string; readonly message: string };
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** All that it was sent, oldest first. */
  readonly received: readonly Received[];
  /** The types of what it has taken, each event once. */
  types(policy?: string): string[];
  /** Has it answer with this status from now on. */
  answer(status: number, headers?: Readonly<Record<string, string>>): void;
}

/** A receiver that checks each webhook with the library of Standard Webhooks, and answers 401 if it is wrong. */
export async function startReceiver(secret: string, port = 0): Promise<Receiver> {
  const received: (Received & { readonly status: number })[] = [];
  let status = 204;
  let extra: Readonly<Record<string, string>> = {};
  const server = createServer(async (request, response) => {
    const body = await textOf(request);
    const headers = request.headers as Record<string, string>;
    const event = verified(secret, body, headers);
    const answered = event === undefined ? 401 : status;
    received.push({ headers, body, event, status: answered });
    response.writeHead(answered, extra).end();
  });
  const bound = await listening(server, port);
  return {
    url: `http://127.0.0.1:${bound}/hook`,
    port: bound,
    received,
    types(policy) {
      const taken = received.filter(({ status, event }) => {
        return status < 300 && event !== undefined && (policy ?? event.data.policy) === event.data.policy;
      });
      const byId = new Map(taken.flatMap(({ event }) => (event ? [[event.id, event.type] as const] : [])));
      return [...byId.values()];
    },
    answer(next, headers = {}) {
      status = next;
      extra = headers;
    },
    [Symbol.asyncDispose]: () => closed(server),
  };
}

/** A receiver that does something else. */
export async function startHostile(
  act: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ readonly url: string; readonly port: number } & AsyncDisposable> {
  const server = createServer(act);
  const port = await listening(server, 0);
  return { url: `http://127.0.0.1:${port}/hook`, port, [Symbol.asyncDispose]: () => closed(server) };
}

export function verified(
  secret: string,
  body: string,
  headers: Readonly<Record<string, string>>,
): ReceivedEvent | undefined {
  try {
    return new Webhook(secret).verify(body, headers) as ReceivedEvent;
  } catch {
    return undefined;
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

async function listening(server: Server, port: number): Promise<number> {
  await new Promise<void>((ready) => server.listen(port, '127.0.0.1', ready));
  return (server.address() as AddressInfo).port;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
}

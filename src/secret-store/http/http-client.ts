import { type ClientRequest, type IncomingMessage, Agent as PlainAgent, request as plain } from 'node:http';
import { Agent, request as secure } from 'node:https';
import type { Tls } from '../../config/config.ts';

/** How long one request may take, from its beginning to the end of the answer; milliseconds. */
const TIMEOUT_MS = 10_000;

/** More than any store keeps in one secret. */
const LIMIT_BYTES = 4 * 1024 * 1024;

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the server, with its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpAnswer {
  readonly status: number;
  /** As Retry-After has it, in milliseconds. */
  readonly retryAfter: number | undefined;
  readonly text: string;
}

/** Why there is no answer that can be used. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly kind: 'unreachable' | 'certificate' | 'too-large';
  /** The system's name of the error, or that of Node.js. */
  readonly detail: string;

  constructor(kind: HttpFailure['kind'], detail: string) {
    super(detail);
    this.kind = kind;
    this.detail = detail;
  }
}

/** How to reach one server. A certificate is always checked; see `tls`. */
export interface HttpTarget {
  readonly url: string;
  /** Left out where the URL begins with http://. */
  readonly tls?: Pick<Tls, 'ca' | 'cert' | 'key' | 'servername'>;
}

/**
 * Requests to one server over connections that are used again. A redirect is an answer like any
 * other: a token is sent to nobody else.
 */
export class HttpClient {
  readonly #base: URL;
  readonly #agent: Agent | PlainAgent;
  readonly #timeout: number;

  constructor({ url, tls = {} }: HttpTarget, { timeout = TIMEOUT_MS } = {}) {
    this.#base = new URL(url);
    this.#timeout = timeout;
    const kept = { keepAlive: true, maxSockets: 8, scheduling: 'lifo' } as const;
    this.#agent = this.#base.protocol === 'http:' ? new PlainAgent(kept) : new Agent({ ...kept, ...tls });
  }

  /** Throws an HttpFailure. */
  send(request: HttpRequest): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const outgoing = this.#open(request);
      const end = (error: unknown) => {
        clearTimeout(timer);
        reject(failureOf(error));
      };
      const answer = (incoming: IncomingMessage, text: string) => {
        clearTimeout(timer);
        resolve({ status: incoming.statusCode ?? 0, retryAfter: retryAfterOf(incoming), text });
      };
      // Of the whole exchange: a server that sends a byte a second would hold up the others.
      const timer = setTimeout(() => {
        end(failure('ETIMEDOUT'));
        outgoing.destroy();
      }, this.#timeout);
      outgoing.on('error', end);
      outgoing.on('response', (incoming) => {
        readBody(incoming).then((text) => answer(incoming, text), end);
      });
      // Otherwise Node.js tells of an answer with status 101 by no other event than `close`.
      outgoing.on('upgrade', (incoming, socket) => {
        socket.destroy();
        answer(incoming, '');
      });
      outgoing.end(request.body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #open({ method, path, headers = {}, body }: HttpRequest): ClientRequest {
    const base = this.#base.pathname.replace(/\/$/, '');
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const options = {
      method,
      agent: this.#agent,
      host: this.#base.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: this.#base.port || (this.#base.protocol === 'http:' ? 80 : 443),
      path: base + path,
      headers: { ...headers, ...length },
    };
    return this.#base.protocol === 'http:' ? plain(options) : secure(options);
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming) {
    size += chunk.length;
    if (size > LIMIT_BYTES) {
      incoming.destroy();
      throw new HttpFailure('too-large', `${LIMIT_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  // An answer that is cut off has no error of its own where its length was not told.
  if (!incoming.complete) throw failure('ECONNRESET');
  return Buffer.concat(chunks).toString('utf8');
}

/** Seconds, or an instant: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
function retryAfterOf({ headers }: IncomingMessage): number | undefined {
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const wait = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

function failure(code: string): HttpFailure {
  return new HttpFailure('unreachable', code);
}

/** The errors of a certificate have the names of OpenSSL; others begin with E. */
const CERTIFICATE = /^(ERR_TLS_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_|HOSTNAME_MISMATCH|INVALID_CA)/;

function failureOf(error: unknown): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const { code = 'error' } = error as NodeJS.ErrnoException;
  return CERTIFICATE.test(code) ? new HttpFailure('certificate', code) : failure(code);
}

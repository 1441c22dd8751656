import http from 'node:http';
import https from 'node:https';
import type { HttpSink } from '../../config/sink.ts';
import { fact } from '../../facts/fact.ts';
import { Fault } from '../../facts/fault.ts';
import { type Attempt, away, DELIVERED } from '../attempt.ts';
import { guardedLookup, refuseAddress } from './guarded-lookup.ts';

/** A receiver may ask for no longer than this, in milliseconds. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

export interface Posted {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Posts a body to the URL of a sink. Only the status counts: the body of the answer is not read,
 * and no redirect is followed. It ends within the sink's timeout, or when `signal` says so.
 */
export async function post(sink: HttpSink, posted: Posted, signal: AbortSignal): Promise<Attempt> {
  const late = AbortSignal.timeout(sink.timeout);
  try {
    refuseAddress(sink);
    const { status, retryAfter } = await exchange(sink, posted, AbortSignal.any([signal, late]));
    return judged(status, retryAfter);
  } catch (error) {
    signal.throwIfAborted();
    if (late.aborted) return away(fact('sink-too-slow', { seconds: Math.ceil(sink.timeout / 1000) }));
    const root = rootOf(error);
    if (root instanceof Fault) return away(root.fact);
    return away(fact('sink-unreachable', { detail: root instanceof Error ? root.message : String(root) }));
  }
}

interface Answer {
  readonly status: number;
  readonly retryAfter: string | undefined;
}

function exchange(
  { url, ca, ...sink }: HttpSink,
  { headers, body }: Posted,
  signal: AbortSignal,
): Promise<Answer> {
  const { request } = new URL(url).protocol === 'http:' ? http : https;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      // Each delivery has a connection of its own, whose address was checked.
      agent: false,
      lookup: guardedLookup({ url, allowPrivate: sink.allowPrivate }),
      signal,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)), 'user-agent': 'keyturn' },
      ...(ca === undefined ? {} : { ca }),
    });
    sent.on('error', reject);
    // Otherwise Node.js tells of an answer with status 101 by no other event than `close`.
    sent.on('upgrade', ({ statusCode = 0 }, socket) => {
      socket.destroy();
      resolve({ status: statusCode, retryAfter: undefined });
    });
    sent.on('close', () => reject(new Error('ECONNRESET')));
    sent.on('response', (response) => {
      const { statusCode = 0, headers: answered } = response;
      resolve({ status: statusCode, retryAfter: answered['retry-after'] });
      response.on('error', () => {});
      sent.destroy();
    });
    sent.end(body);
  });
}

/** Node.js tries all addresses of a name, and tells of all together. */
function rootOf(error: unknown): unknown {
  return error instanceof AggregateError ? (error.errors[0] ?? error) : error;
}

function judged(status: number, retryAfter: string | undefined): Attempt {
  if (status >= 200 && status < 300) return DELIVERED;
  if (status >= 300 && status < 400) return away(fact('sink-redirects', { status }));
  if (status === 410)
    return { isDelivered: false, fact: fact('sink-gone', {}), isSinkAway: false, isFinal: true };
  const answered = fact('sink-answered', { status });
  if (status === 429 || status === 503) return away(answered, patienceOf(retryAfter));
  // What a receiver says of a request may be about this event only.
  return status < 500 ? { isDelivered: false, fact: answered, isSinkAway: false } : away(answered);
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after: seconds, or an HTTP date. */
function patienceOf(retryAfter: string | undefined): number | undefined {
  if (retryAfter === undefined) return undefined;
  const asked = /^\d{1,9}$/.test(retryAfter)
    ? Number(retryAfter) * 1000
    : Date.parse(retryAfter) - Date.now();
  return Number.isNaN(asked) ? undefined : Math.min(Math.max(asked, 0), LONGEST_RETRY_AFTER_MS);
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpAnswer, HttpClient, HttpFailure, HttpRequest } from './http-client.ts';

/** How often a request is sent, the first time included. */
const TRIES = 4;
/** A server may ask for hours with Retry-After: then the rotation waits, and not the request. */
const LONGEST_WAIT_MS = 5_000;

/**
 * Sends a request again where that may help and does no harm. One that only reads: after any fault
 * that may pass. One that writes: only where the server says that it did not take it (429, 503).
 * Throws the last HttpFailure.
 */
export async function sendPatiently(client: HttpClient, request: HttpRequest): Promise<HttpAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await client.send(request).catch((error: HttpFailure) => error);
    const wait = attempt < TRIES ? waitBefore(request, answer, attempt) : undefined;
    if (wait === undefined) {
      if (answer instanceof Error) throw answer;
      return answer;
    }
    await sleep(wait);
  }
}

/** How long to wait before the next try; undefined: there is none. */
function waitBefore(
  { method }: HttpRequest,
  answer: HttpAnswer | HttpFailure,
  attempt: number,
): number | undefined {
  const backoff = (0.5 + Math.random()) * 50 * 2 ** attempt;
  if (answer instanceof Error) {
    return method === 'GET' && answer.kind === 'unreachable' && answer.detail !== 'ETIMEDOUT'
      ? backoff
      : undefined;
  }
  const { status, retryAfter = backoff } = answer;
  const isRefused = status === 429 || status === 503;
  if (isRefused) return retryAfter <= LONGEST_WAIT_MS ? retryAfter : undefined;
  return method === 'GET' && status >= 500 ? backoff : undefined;
}

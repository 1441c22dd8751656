import type { Credential } from './credential.ts';
import { CredentialError } from './credential-error.ts';
import type { Reader } from './source.ts';
import { startTimer } from './start-timer.ts';

/**
 * Reads once, in `timeout` milliseconds at most, and gives up when `ended` aborts. Throws a
 * CredentialError; what a custom source threw is its cause, because its message may be secret.
 */
export async function readWithin(timeout: number, reader: Reader, ended: AbortSignal): Promise<Credential> {
  const reading = new AbortController();
  const stop = () => reading.abort();
  let isLate = false;
  const timer = startTimer(timeout, () => {
    isLate = true;
    stop();
  });
  ended.addEventListener('abort', stop);
  try {
    return await Promise.race([reader.read(reading.signal), aborted(reading.signal)]);
  } catch (error) {
    if (isLate) throw new CredentialError('read-timeout', { timeout });
    if (error instanceof CredentialError) throw error;
    throw new CredentialError('source-failed', {}, { cause: error });
  } finally {
    clearTimeout(timer);
    ended.removeEventListener('abort', stop);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

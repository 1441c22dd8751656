import { type Fault, fault } from '../../facts/fault.ts';
import type { StoreFacts } from '../../facts/store-facts.ts';
import { type HttpAnswer, HttpFailure } from './http-client.ts';

/** What was asked for, for faults. */
export type Asked = Pick<StoreFacts['store-unreachable'], 'store' | 'secret' | 'action'>;

/** A request that got no answer, or none that can be used. */
export function failureFault(error: unknown, asked: Asked): Fault {
  if (!(error instanceof HttpFailure)) throw error;
  const { kind, detail } = error;
  switch (kind) {
    case 'unreachable':
      return fault('store-unreachable', { ...asked, detail });
    case 'certificate':
      return fault('store-certificate-refused', { ...asked, detail });
    case 'too-large':
      return fault('store-answer-invalid', { ...asked, why: 'too-large' });
  }
}

/**
 * What an answer means that is none of those that the adapter knows. Nothing that the server says
 * in words is kept: it may repeat a value (G3).
 */
export function statusFault({ status }: HttpAnswer, asked: Asked): Fault {
  const detail = `HTTP ${status}`;
  if (status === 429) return fault('store-throttled', { ...asked, detail });
  if (status >= 500 || status === 408) return fault('store-unreachable', { ...asked, detail });
  if (status >= 300 && status < 400) return fault('store-answer-invalid', { ...asked, why: 'redirect' });
  return fault('store-refused', { ...asked, detail });
}

/** The JSON of an answer. Throws `store-answer-invalid`. */
export function jsonOf({ text }: HttpAnswer, asked: Asked): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    throw fault('store-answer-invalid', { ...asked, why: 'not-json' });
  }
}

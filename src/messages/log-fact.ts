import type { Logger } from 'pino';
import type { Fact } from '../facts/fact.ts';
import { tell } from './tell.ts';

/**
 * Logs a fact: its message for people, its code and parameters for machines. `about` says of what.
 */
export function logFact(
  log: Logger,
  level: 'debug' | 'info' | 'warn' | 'error',
  fact: Fact,
  about: object = {},
): void {
  log[level]({ ...about, code: fact.code, params: fact.params }, tell(fact));
}

import { type Fault, fault, isFault } from '../facts/fault.ts';
import { TLS_FAULT } from '../postgres/connection/database-error.ts';
import { type QueueBackend, serverOf } from './queue-backend.ts';

/**
 * The first word is the kind of error:
 * https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors
 */
const LOGIN_FAULT = /^(WRONGPASS|NOAUTH|NOPERM) /;

/**
 * What Redis answers to every change for as long as it lasts: out of memory, a replica, disk full,
 * loading.
 */
const SERVER_FAULT = /^(OOM|READONLY|MISCONF|LOADING|MASTERDOWN|NOREPLICAS) /;

/** What a client of the queue threw, in the words of ioredis, pg or Node.js. */
interface Thrown {
  readonly message: string;
  readonly code?: unknown;
}

/** Whether Redis itself is in a state in which it takes no job. */
export function isServerFault(thrown: unknown): thrown is Error {
  return thrown instanceof Error && SERVER_FAULT.test(thrown.message);
}

/**
 * Why a queue cannot be used, judged by the latest error of its client; undefined: it said nothing.
 */
export function queueFault(backend: QueueBackend, thrown: Thrown | undefined): Fault {
  const said = {
    server: serverOf(backend),
    ...(thrown === undefined ? {} : { detail: thrown.message }),
  };
  const { message, code } = thrown ?? { message: '' };
  // The state database is reached before its queue, and says then what it refuses.
  if ('database' in backend) return fault('queue-database-unreachable', said);
  if (LOGIN_FAULT.test(message)) return fault('queue-login-refused', said);
  if (TLS_FAULT.test(String(code))) return fault('queue-tls-failed', said);
  if (SERVER_FAULT.test(message)) return fault('queue-takes-no-job', said);
  return fault('queue-unreachable', { ...said, tls: backend.redis.startsWith('rediss:') });
}

/** Whether an error is a queue's that may answer later without a change of the configuration. */
export function isQueueAway(error: unknown): error is Fault {
  return isFault(error, 'queue-unreachable', 'queue-database-unreachable', 'queue-takes-no-job');
}

/** Whether the queue does not answer, or refuses. */
export function isQueueFault(error: unknown): error is Fault {
  return isQueueAway(error) || isFault(error, 'queue-login-refused', 'queue-tls-failed');
}

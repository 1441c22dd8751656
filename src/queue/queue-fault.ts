import type { QueueRedis } from '../config/config.ts';
import { type Fact, fact } from '../facts/fact.ts';
import { Fault, fault, isFault } from '../facts/fault.ts';
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

/** What ioredis says of a request that it gave up because there is no connection to send it by. */
const LOST =
  /^(Connection is closed|Command timed out|Reached the max retries|Too many Cluster|CLUSTERDOWN )/;

/** What a client of the queue threw, in the words of ioredis, pg or Node.js. */
interface Thrown extends Error {
  readonly code?: unknown;
  /** Of a cluster of which no node answers: what the last one said. */
  readonly lastNodeError?: Error;
}

/** Whether Redis itself takes no job now, or cannot be reached any more. */
export function isServerFault(backend: QueueBackend, thrown: unknown): thrown is Error {
  if (!('redis' in backend) || !(thrown instanceof Error)) return false;
  const { message } = thrown;
  return SERVER_FAULT.test(message) || LOST.test(message) || 'lastNodeError' in thrown;
}

/**
 * Why a queue cannot be used, judged by the latest error of its client; undefined: it said nothing.
 */
export function queueFault(backend: QueueBackend, latest: Thrown | undefined): Fault {
  const thrown = rootOf(latest);
  if (thrown instanceof Fault) return thrown;
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
  return fault('queue-unreachable', { ...said, tls: isEncrypted(backend.redis) });
}

/** What happened to a client of BullMQ outside of any request. */
export function clientFault(client: 'queue' | 'worker', error: Error): Fact<'queue-client-failed'> {
  const root = rootOf(error);
  const cause = root instanceof Fault ? { cause: root.fact } : {};
  return fact('queue-client-failed', { client, detail: root.message, ...cause });
}

/** The error that a cluster's, or that of a lost connection, stands for. */
function rootOf<Error extends Thrown | undefined>(thrown: Error): Error {
  const inner = thrown?.lastNodeError ?? thrown?.cause;
  return inner instanceof Error && !(thrown instanceof Fault) ? rootOf(inner as Error) : thrown;
}

function isEncrypted(redis: QueueRedis): boolean {
  return typeof redis === 'string' ? redis.startsWith('rediss:') : redis.tls.mode !== 'disable';
}

/** Whether an error is a queue's that may answer later without a change of the configuration. */
export function isQueueAway(error: unknown): error is Fault {
  return isFault(
    error,
    'queue-unreachable',
    'queue-database-unreachable',
    'queue-takes-no-job',
    'queue-primary-unknown',
  );
}

/** Whether the queue does not answer, or refuses. */
export function isQueueFault(error: unknown): error is Fault {
  return (
    isQueueAway(error) || isFault(error, 'queue-login-refused', 'queue-tls-failed', 'queue-node-in-plaintext')
  );
}

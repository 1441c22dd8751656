import { TLS_FAULT } from '../postgres/connection/database-error.ts';
import { placeOf, type QueueBackend } from './queue-backend.ts';

/** `refused`: the server is there, and will go on refusing until somebody changes it or the configuration. */
export type QueueErrorKind = 'unreachable' | 'refused';

/** The queue does not answer. The message names its server, never a password, and what mends it. */
export class QueueError extends Error {
  override readonly name = 'QueueError';
  readonly kind: QueueErrorKind;

  constructor(kind: QueueErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** https://redis.io/docs/latest/develop/reference/protocol-spec/#simple-errors: the first word is the kind of error. */
const LOGIN_FAULT = /^(WRONGPASS|NOAUTH|NOPERM) /;

/** What Redis answers to every change for as long as it lasts: out of memory, a replica, disk full, loading. */
const SERVER_FAULT = /^(OOM|READONLY|MISCONF|LOADING|MASTERDOWN|NOREPLICAS) /;

/** Whether Redis itself is in a state in which it takes no job. */
export function isServerFault(fault: unknown): boolean {
  return fault instanceof Error && SERVER_FAULT.test(fault.message);
}

/** Tells from the latest fault of a queue's client why it cannot be reached, and what mends that. */
export function queueError(backend: QueueBackend, fault: { message: string; code?: unknown }): QueueError {
  const [kind, remedy] = judge(backend, fault);
  return new QueueError(kind, `The queue on ${placeOf(backend)}: ${fault.message}; ${remedy}`);
}

function judge(
  backend: QueueBackend,
  { message, code }: { message: string; code?: unknown },
): [kind: QueueErrorKind, remedy: string] {
  // The state database is reached before its queue, and says then what it refuses.
  if ('database' in backend) return ['unreachable', 'check state.database, and that its server is up'];
  if (LOGIN_FAULT.test(message)) {
    return ['refused', 'check user and password in queue.redis, and what Redis allows that user (ACL LIST)'];
  }
  if (TLS_FAULT.test(String(code))) {
    return [
      'refused',
      'check queue.redis: rediss:// needs a port of Redis that speaks TLS, and a CA that Node.js knows or NODE_EXTRA_CA_CERTS names',
    ];
  }
  if (SERVER_FAULT.test(message)) {
    return [
      'unreachable',
      'Redis takes no job; for OOM raise maxmemory, for the others see its log. Until then nothing rotates but with --inline',
    ];
  }
  const tls = backend.redis.startsWith('rediss:') ? ' and its port speaks TLS' : '';
  return [
    'unreachable',
    `check queue.redis, and that Redis is up${tls}; without it nothing rotates but with --inline`,
  ];
}

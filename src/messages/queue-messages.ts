import type { QueueFacts } from '../facts/queue-facts.ts';
import { adviseEnding, describeHolders } from './database/describe-session.ts';
import type { Messages } from './message.ts';

type QueueFault = QueueFacts['queue-login-refused'];

const onServer = ({ server, detail = 'it does not answer' }: QueueFault) =>
  `The queue on ${server}: ${detail}`;

export const queueMessages: Messages<QueueFacts> = {
  'queue-unreachable': {
    text: onServer,
    advice: ({ tls }) =>
      `check queue.redis, and that Redis is up${tls ? ' and its port speaks TLS' : ''}; without it nothing rotates but with --inline`,
    means:
      'Redis does not answer. Open rotations stay in the ledger and go on once it does. `keyturn rotate --inline` works without it.',
    example: { server: 'redis.internal:6379', detail: 'connect ECONNREFUSED 10.0.0.7:6379', tls: false },
  },
  'queue-database-unreachable': {
    text: onServer,
    advice: 'check state.database, and that its server is up',
    means: 'The queue is in the state database, whose server does not answer.',
    example: { server: 'db.internal:5432', detail: 'connect ECONNREFUSED 10.0.0.5:5432' },
  },
  'queue-login-refused': {
    text: onServer,
    advice:
      'check user and password in queue.redis, those of the sentinels too, and what Redis allows that user (ACL LIST)',
    means:
      'Redis refuses the user or the password of `queue.redis`, or does not allow that user a command that BullMQ needs.',
    example: {
      server: 'redis.internal:6379',
      detail: 'WRONGPASS invalid username-password pair or user is disabled.',
    },
  },
  'queue-tls-failed': {
    text: onServer,
    advice:
      'check queue.redis: TLS needs a port of Redis that speaks it, and a CA that Node.js knows or that tls or NODE_EXTRA_CA_CERTS names',
    means: 'The TLS handshake with Redis failed, or its certificate is not trusted.',
    example: { server: 'redis.internal:6380', detail: 'self-signed certificate' },
  },
  'queue-takes-no-job': {
    text: onServer,
    advice:
      'Redis takes no job; for OOM raise maxmemory, for the others see its log. Until then nothing rotates but with --inline',
    means: 'Redis answers but takes no change, for instance because it is out of memory or a replica.',
    example: {
      server: 'redis.internal:6379',
      detail: "OOM command not allowed when used memory > 'maxmemory'.",
    },
  },
  'queue-primary-unknown': {
    text: ({ server, name }) => `The sentinel ${server} knows no primary ${JSON.stringify(name)}`,
    advice: 'check name in queue.redis against the lines "sentinel monitor" of the sentinels',
    means: 'The sentinels answer, but do not watch a primary of this name.',
    example: { server: 'sentinel-1.internal:26379', name: 'mymaster' },
  },
  'queue-node-in-plaintext': {
    text: ({ server }) =>
      `A sentinel or the cluster announced ${server}, which is beyond loopback, and TLS is off; keyturn did not connect`,
    advice: 'set tls in queue.redis, or its mode to disable to allow plaintext',
    means:
      'All nodes in `queue.redis` are loopback, so TLS is off by default. Another node was announced, and keyturn sends no password to it in plaintext.',
    example: { server: '10.0.0.7:6379' },
  },
  'queue-tables-locked': {
    text: ({ holders, seconds }) =>
      `the tables in schema bullmq of the state database cannot be made or updated, because their lock is held by ${describeHolders(holders, 'another session')}, for longer than ${seconds} s`,
    advice: ({ holders }) => ['try again once that is over', adviseEnding(holders) ?? []].flat().join('; '),
    means:
      'BullMQ makes and updates its tables under an advisory lock, which everybody who can connect to the state database may hold.',
    example: {
      seconds: 10,
      holders: [
        {
          pid: 71,
          login: 'reports',
          application: 'psql',
          state: 'idle',
          since: null,
          prepared: null,
        },
      ],
    },
  },
  'queue-client-failed': {
    text: ({ client, detail, cause }, tell) =>
      `the ${client} has a fault: ${cause === undefined ? detail : tell(cause)}`,
    means:
      'A connection of the queue or of the worker failed. It connects anew by itself; this is logged once for each fault.',
    example: { client: 'queue', detail: 'connect ECONNREFUSED 10.0.0.7:6379' },
  },
  'job-failed': {
    text: ({ job, cause }, tell) => `the job ${job} failed: ${tell(cause)}`,
    means: 'A job of the queue threw. It is tried again, and a rotation goes on where it was.',
    example: {
      job: 'sweep',
      cause: { code: 'unexpected', params: { text: 'Connection terminated unexpectedly' } },
    },
  },
  'worker-turn-failed': {
    text: ({ cause }, tell) => `the worker has a fault: ${tell(cause)}`,
    means:
      'A worker could not look after its configuration or the sweep. It tries again a minute later; jobs go on meanwhile.',
    example: { cause: { code: 'unexpected', params: { text: 'Connection terminated unexpectedly' } } },
  },
  'due-unknown': {
    text: ({ cause }, tell) => `cannot tell whether it is due: ${tell(cause)}`,
    means:
      'The sweep could not decide whether a policy is due, for instance because its store does not answer. The next sweep decides.',
    example: { cause: { code: 'unexpected', params: { text: 'Connection terminated unexpectedly' } } },
  },
  'job-unknown': {
    text: () => 'it has a name that keyturn has no jobs of',
    advice: 'remove who queued it',
    means:
      'Somebody else put a job into the queue. It is not run and not tried again. Whoever can write there can also delay rotations.',
    example: {},
  },
  'job-without-rotation': {
    text: () => 'it names no rotation by its UUID',
    advice: 'remove who queued it',
    means:
      'Somebody else put a job into the queue that names no rotation. It is not run and not tried again.',
    example: {},
  },
};

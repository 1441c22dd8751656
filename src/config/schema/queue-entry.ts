import * as z from 'zod';
import { fact } from '../../facts/fact.ts';
import type { Review } from '../review.ts';
import { find } from '../yaml/located.ts';
import { configSchema } from './config-schema.ts';
import { parseFields } from './parse-value.ts';
import {
  type ClusterEntry,
  clusterSchema,
  redisUrl,
  type SentinelsEntry,
  sentinelsSchema,
} from './redis-schema.ts';

/** Where the queue is. An empty URL counts as none. */
export interface QueueEntry {
  readonly redis?: string | Partial<SentinelsEntry> | Partial<ClusterEntry>;
  readonly tls?: { readonly mode: 'disable' };
}

const PATH = ['queue', 'redis'];

/** Parses the entry `queue` by the form that `redis` has in it: a URL, sentinels or a cluster. */
export function parseQueue(review: Review): QueueEntry {
  const schema = configSchema.shape.queue.unwrap();
  const keys = review.keysAt(PATH);
  if (keys === undefined) {
    return parseFields(review, schema.extend({ redis: redisUrl.exactOptional() }), ['queue']);
  }
  const { tls } = parseFields(review, schema.extend({ redis: z.unknown() }), ['queue']);
  if (find(review.tree, ['queue', 'tls']) !== undefined) {
    review.reportKey(['queue', 'tls'], fact('queue-plaintext-misplaced', {}));
  }
  const beside = tls === undefined ? {} : { tls };
  if (keys.includes('cluster')) return { ...beside, redis: parseFields(review, clusterSchema, PATH) };
  if (keys.includes('sentinels')) return { ...beside, redis: parseFields(review, sentinelsSchema, PATH) };
  review.report(PATH, fact('config-entry-invalid', { found: { kind: 'mapping' }, rule: 'redis' }));
  return beside;
}

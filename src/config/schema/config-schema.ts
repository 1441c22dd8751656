import * as z from 'zod';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import { parseDuration } from '../values/duration.ts';
import { connectionSchema } from './connection-schema.ts';
import { policySchema } from './policy-schema.ts';
import { clusterSchema, redisUrl, sentinelsSchema } from './redis-schema.ts';
import { named, object, textLike } from './schema-values.ts';
import { sinkSchema } from './sink-schema.ts';
import { plaintext, storeSchema } from './store-schema.ts';

// The one statement of the file's shape. config/keyturn.schema.json is made of it, for editors.
// What depends on other entries is checked in src/config/checks/, so that one slip hides no other.

const stateUrl = textLike(/^($|postgres(ql)?:\/\/)/, 'state-url');

const queueSchema = object('queue', {
  redis: z
    .union([redisUrl, sentinelsSchema, clusterSchema], { error: 'redis-url' satisfies ConfigRule })
    .exactOptional()
    .describe('Redis 6.2+ or Valkey: a URL, sentinels or a cluster. Left out or empty: the state database.'),
  tls: plaintext.describe('Needed for redis:// to a host that is not loopback.'),
});

/** A store may be away for days, and then something still asks for rotations of before. */
const LEAST_KEPT_MS = 7 * 24 * 3_600_000;

/** Null: for ever. */
const keep = textLike(/^(forever|[1-9]\d{0,5}[smhdw])$/, 'history-keep')
  .refine((text) => (parseDuration(text) ?? LEAST_KEPT_MS) >= LEAST_KEPT_MS, {
    error: 'history-keep' satisfies ConfigRule,
  })
  .prefault('400d')
  .transform((text) => parseDuration(text) ?? null);

export const configSchema = object('config', {
  state: object('state', {
    database: stateUrl
      .exactOptional()
      .describe('libpq URL of the state database. Left out or empty: embedded.'),
  })
    .prefault({})
    .describe('Where keyturn keeps the ledger, and the queue unless Redis is configured.'),
  queue: queueSchema.prefault({}).describe('What carries the jobs.'),
  history: object('history', {
    keep: keep.describe(
      'How long what is over stays in the ledger, at least 7d; or forever. What the next rotation needs stays.',
    ),
  })
    .prefault({})
    .describe('What the ledger keeps of the past.'),
  events: object('events', {
    sinks: named('sinks', sinkSchema).prefault({}).describe('Where events are delivered: docs/events.md.'),
  })
    .prefault({})
    .describe('Who hears of rotations and credentials.'),
  connections: named('connections', connectionSchema).describe(
    'How keyturn reaches each database as the rotator.',
  ),
  stores: named('stores', storeSchema).describe('Secret stores to publish in.'),
  policies: named('policies', policySchema).describe(
    'Which logins to rotate, when, and where to publish them.',
  ),
});

export type ConfigEntry = z.output<typeof configSchema>;

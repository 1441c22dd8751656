import * as z from 'zod';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import { isRedisUrl } from '../urls/redis-url.ts';
import { servername, tlsSchema } from './connection-schema.ts';
import { object, text, textLike, wholeNumber } from './schema-values.ts';

const REDIS = /^($|rediss?:\/\/)/;

export const redisUrl = textLike(REDIS, 'redis-url').refine(
  (url) => url === '' || !REDIS.test(url) || isRedisUrl(url),
  { error: 'redis-url' satisfies ConfigRule },
);

// An IPv6 address has brackets where a port follows.
const NODE = /^(?:\[([\da-fA-F:.]+)\]|([^\s/:,@[\]]+))(?::(\d{1,5}))?$/;

function node(defaultPort: number) {
  const port = wholeNumber(1, 65_535, 'port').prefault(defaultPort);
  const written = textLike(NODE, 'redis-node')
    .transform((value) => {
      const [, address, name = '', digits = defaultPort] = NODE.exec(value) ?? [];
      return { host: address ?? name, port: Number(digits) };
    })
    .refine(({ port }) => port >= 1 && port <= 65_535, { error: 'redis-node' satisfies ConfigRule });
  return z.union([written, object('redis-node', { host: servername, port })], {
    error: 'redis-node' satisfies ConfigRule,
  });
}

const NODES: ConfigRule = 'redis-nodes';

function nodes(defaultPort: number) {
  return z.array(node(defaultPort), { error: NODES }).min(1, { error: NODES });
}

const access = {
  username: text('redis-user').exactOptional().describe('ACL user of the data nodes. Default: default.'),
  password: text('redis-password')
    .exactOptional()
    .describe(`Password for the data nodes, best as \${file:PATH} or \${NAME}.`),
  tls: tlsSchema
    .omit({ sni: true })
    .prefault({})
    .describe(
      'How every connection is encrypted and every node checked. Default: verify-full, or disable if all listed nodes are loopback.',
    ),
};

export const sentinelsSchema = object('redis', {
  sentinels: nodes(26_379).describe('The sentinels, each as host:port or as a mapping. Default port: 26379.'),
  name: textLike(/^[\w.-]+$/, 'primary-name').describe('What the sentinels call the primary.'),
  database: wholeNumber(0, 1_000_000, 'redis-database').prefault(0).describe('Number of the database.'),
  sentinelUsername: text('redis-user').exactOptional().describe('ACL user of the sentinels.'),
  sentinelPassword: text('redis-password').exactOptional().describe('Password for the sentinels.'),
  ...access,
});

export const clusterSchema = object('redis', {
  cluster: nodes(6_379).describe(
    'Some nodes of a Redis Cluster, each as host:port or as a mapping. Default port: 6379.',
  ),
  ...access,
});

export type SentinelsEntry = z.output<typeof sentinelsSchema>;
export type ClusterEntry = z.output<typeof clusterSchema>;

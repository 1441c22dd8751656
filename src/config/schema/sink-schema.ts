import * as z from 'zod';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import { EVENT_TYPES } from '../../facts/events/event-types.ts';
import { duration, object, oneOf, text, textLike, trueOrFalse } from './schema-values.ts';

/** A lease of an event is a little longer (src/events/deliver-sink.ts). */
const LONGEST_TIMEOUT_MS = 60_000;

const common = {
  policies: z
    .array(text('policy-name'), { error: 'policy-names' satisfies ConfigRule })
    .min(1, { error: 'policy-names' satisfies ConfigRule })
    .exactOptional()
    .describe('The policies whose events it gets. Default: all.'),
  types: z
    .array(oneOf(EVENT_TYPES), { error: 'event-types' satisfies ConfigRule })
    .min(1, { error: 'event-types' satisfies ConfigRule })
    .exactOptional()
    .describe('The types of events that it gets. Default: all.'),
  timeout: duration(false)
    .refine((time) => time <= LONGEST_TIMEOUT_MS, { error: 'sink-timeout' satisfies ConfigRule })
    .prefault('10s')
    .describe('How long one delivery may take, at most 60s.'),
};

const http = {
  url: textLike(/^https?:\/\/[^\s/]/i, 'sink-url')
    .refine((url) => URL.canParse(url), { error: 'sink-url' satisfies ConfigRule })
    .describe('Where events are posted to: https://, without a user and a password.'),
  allowPrivate: trueOrFalse()
    .prefault(false)
    .describe('Whether the receiver may be at a private or loopback address, and then without TLS.'),
  ca: text('pem')
    .exactOptional()
    .describe('PEM file, or PEM text, with the certificates to trust. Default: those of Node.js.'),
};

const webhook = object('webhook-sink', {
  type: z.literal('webhook').describe('Signed webhooks, as Standard Webhooks say.'),
  ...http,
  secrets: z
    .array(text('signing-secret'), { error: 'signing-secrets' satisfies ConfigRule })
    .min(1, { error: 'signing-secrets' satisfies ConfigRule })
    .describe(`Secrets that sign, each whsec_… and best as \${file:PATH}; several while one is replaced.`),
  format: oneOf(['standard', 'cloudevents'])
    .prefault('standard')
    .describe('The shape of the body: that of Standard Webhooks, or CloudEvents 1.0.'),
  ...common,
});

export const sinkSchema = z.discriminatedUnion('type', [webhook], {
  error: ({ code }): ConfigRule => (code === 'invalid_union' ? 'sink-type' : 'sink'),
});

export type SinkEntry = z.output<typeof sinkSchema>;

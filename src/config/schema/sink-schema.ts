import * as z from 'zod';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import { EVENT_TYPES } from '../../facts/events/event-types.ts';
import { servername, tlsSchema } from './connection-schema.ts';
import { duration, object, oneOf, text, textLike, trueOrFalse, wholeNumber } from './schema-values.ts';

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

const slack = object('chat-sink', {
  type: z.literal('slack').describe('An incoming webhook of Slack.'),
  ...http,
  ...common,
});

const teams = object('chat-sink', {
  type: z.literal('teams').describe('A webhook of a workflow in Microsoft Teams.'),
  ...http,
  ...common,
});

/** One address without a name, so that nothing of it can be another header or address. */
const mailAddress = textLike(/^[^\s<>@,;:"()[\]\\]+@[^\s<>@,;:"()[\]\\]+$/, 'mail-address');

const mail = object('mail-sink', {
  type: z.literal('mail').describe('Mail to people.'),
  host: servername.describe('Host name or IP address of the mail server.'),
  port: wholeNumber(1, 65_535, 'port')
    .prefault(587)
    .describe('Port of the mail server. On 465 TLS begins at once; on others by STARTTLS.'),
  user: text('mail-user').exactOptional().describe('Whom to log in as. Left out: nobody.'),
  password: text('mail-password')
    .exactOptional()
    .describe(`Password of that user, best as \${file:PATH} or \${NAME}.`),
  from: mailAddress.describe('Address of the sender.'),
  to: z
    .array(mailAddress, { error: 'mail-addresses' satisfies ConfigRule })
    .min(1, { error: 'mail-addresses' satisfies ConfigRule })
    .describe('Addresses of those who get the mail.'),
  tls: tlsSchema
    .omit({ sni: true })
    .prefault({})
    .describe('How the connection is encrypted and the server checked. Needed beyond loopback.'),
  ...common,
});

const command = object('command-sink', {
  type: z.literal('command').describe('A program on the machine of the worker, with the event on its stdin.'),
  command: z
    .array(text('command-word'), { error: 'command-words' satisfies ConfigRule })
    .min(1, { error: 'command-words' satisfies ConfigRule })
    .describe('The program and its arguments. No shell reads them.'),
  env: z
    .record(textLike(/^[A-Za-z_]\w*$/, 'variable-name'), z.string({ error: 'text' satisfies ConfigRule }), {
      error: 'variables' satisfies ConfigRule,
    })
    .prefault({})
    .describe('What the program has in its environment besides PATH.'),
  ...common,
});

export const sinkSchema = z.discriminatedUnion('type', [webhook, slack, teams, mail, command], {
  error: ({ code }): ConfigRule => (code === 'invalid_union' ? 'sink-type' : 'sink'),
});

export type SinkEntry = z.output<typeof sinkSchema>;

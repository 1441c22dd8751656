import * as z from 'zod';
import type { ConfigRule } from '../../facts/config/config-rules.ts';
import { type Destination, FIELDS, POLICY_TYPES, type SecretName } from '../policy.ts';
import { everFires, isCron } from '../values/cron.ts';
import { scheduleOf } from '../values/schedule-of.ts';
import { isTimeZone } from '../values/time-zone.ts';
import {
  duration,
  object,
  oneOf,
  roleName,
  text,
  textLike,
  trueOrFalse,
  wholeNumber,
} from './schema-values.ts';

const every = textLike(/^[1-9]\d{0,5}[smhdw]$/, 'interval');

const scheduleEntry = object('schedule', {
  every: every
    .exactOptional()
    .describe('Nd or Nw, at the time of day `at` says; or Nh, Nm, Ns. Either this or cron.'),
  at: textLike(/^([01]\d|2[0-3]):[0-5]\d$/, 'time-of-day')
    .exactOptional()
    .describe('Time of day HH:MM, with an interval of days or weeks. Default: 00:00.'),
  cron: z
    .string({ error: 'cron' satisfies ConfigRule })
    .refine(isCron, { error: 'cron' satisfies ConfigRule, abort: true })
    .refine(everFires, { error: 'cron-that-fires' satisfies ConfigRule })
    .exactOptional()
    .describe('Cron expression of 5 fields, or 6 that begin with seconds. Either this or every.'),
  timezone: z
    .string({ error: 'time-zone' satisfies ConfigRule })
    .refine(isTimeZone, { error: 'time-zone' satisfies ConfigRule })
    .prefault('UTC')
    .describe('IANA time zone in which days are counted and cron is read.'),
  window: duration(false)
    .exactOptional()
    .describe(
      'How long after its slot a rotation may still start; else it waits for the next. Default: for ever.',
    ),
  jitter: duration(true)
    .exactOptional()
    .describe(
      'Upper bound of an offset from each slot, always the same for one policy, so that a fleet does not start at once.',
    ),
  missed: oneOf(['run', 'skip'])
    .prefault('run')
    .describe('Slots that passed while no worker was up: run once, however many they were, or skip.'),
});

/** With both `every` and `cron`, or neither, null: check-schedules.ts reports it. */
const schedule = scheduleEntry.transform(scheduleOf);

const symbols = z
  .string({ error: 'symbols' satisfies ConfigRule })
  .regex(/^[!-/:-@[-`{-~]*$/, { error: 'symbols' satisfies ConfigRule })
  .refine((characters) => new Set(characters).size === characters.length, {
    error: 'symbols' satisfies ConfigRule,
  });

const password = object('password-recipe', {
  length: wholeNumber(16, 128, 'password-length').prefault(32).describe('Number of characters.'),
  symbols: symbols.prefault('').describe('Punctuation to use besides letters and digits.'),
});

const drain = object('drain', {
  grace: duration(true)
    .prefault('5m')
    .describe('Time after publish before sessions are counted: as long as consumers may cache a credential.'),
  timeout: duration(true).prefault('30m').describe('Time after publish until onTimeout.'),
  onTimeout: oneOf(['terminate', 'wait'])
    .prefault('terminate')
    .describe('What to do with sessions that are left: end them, or go on waiting and alert.'),
});

/** The least that `probe.every` may be, in milliseconds. */
const PROBE_LEAST_MS = 30_000;

const probe = z.union(
  [
    z.literal('off', { error: 'probe' satisfies ConfigRule }),
    object('probe', {
      every: duration(false)
        .refine((interval) => interval >= PROBE_LEAST_MS, { error: 'probe-interval' satisfies ConfigRule })
        .describe('How often to log in with what is published, at least 30s.'),
    }),
  ],
  { error: 'probe' satisfies ConfigRule },
);

/** `name`, or `name#key` for one key of a secret that holds a JSON object. */
const SECRET_NAME = /^(.+#)?[^#]+$/;

const secretName = textLike(SECRET_NAME, 'secret-name').transform(parseSecretName);

/** Splits at the last `#`: an ARN or a file name may contain anything else. */
export function parseSecretName(text: string): SecretName {
  const hash = text.lastIndexOf('#');
  return hash === -1 ? { secret: text } : { secret: text.slice(0, hash), key: text.slice(hash + 1) };
}

const SECRET_HELP: Readonly<Record<(typeof FIELDS)[number], string>> = {
  username: 'Secret for the name of the active login.',
  password: 'Secret for its password.',
  host: 'Secret for the host of the connection.',
  port: 'Secret for its port.',
  database: 'Secret for the name of the database.',
  engine: 'Secret for the word postgres, as tools of AWS expect it.',
  url: 'Secret for a libpq URL with all of it.',
  service: 'Secret for a section of a libpq service file, pg_service.conf.',
  pgpass: 'Secret for a line of a libpq password file, .pgpass.',
  env: 'Secret for dotenv lines with the variables of libpq, and DATABASE_URL.',
  userlist: 'Secret for a line of an auth_file of PgBouncer, with a SCRAM verifier.',
};

const secrets = object(
  'secrets',
  Object.fromEntries(
    FIELDS.map((field) => [field, secretName.exactOptional().describe(SECRET_HELP[field])]),
  ) as Record<(typeof FIELDS)[number], z.ZodExactOptional<typeof secretName>>,
);

const format = object('format', {
  service: textLike(/^[A-Za-z0-9][\w.-]{0,62}$/, 'service-name')
    .exactOptional()
    .describe('Name of the section that service writes. Default: the name of the policy.'),
  sslrootcert: textLike(/^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$/u, 'root-certificate')
    .exactOptional()
    .describe(
      "Path of the server's root certificate on the machine of the consumer, or system. For service, env and url.",
    ),
  userlist: oneOf(['scram', 'plain'])
    .exactOptional()
    .describe('What userlist has: scram (default), the verifier that PostgreSQL has; plain: the password.'),
});

const destination = object('destination', {
  store: text('store-name').describe('Name of an entry of stores.'),
  create: trueOrFalse().prefault(false).describe('Whether a secret that does not exist may be made.'),
  secrets: secrets.describe(
    'Field: secret name, or name#key for a key of a JSON secret. Needs username and password, or a field that has both.',
  ),
  format: format.exactOptional().describe('What the fields service, userlist, env and url leave open.'),
});

const login = roleName('login');

export const policySchema = object('policy', {
  description: text('text').exactOptional().describe('What the logins are for.'),
  type: oneOf(POLICY_TYPES)
    .prefault('logins')
    .describe(
      "logins: two that take turns. rotator: the password of the connection's own user, which then has no logins, owner and drain.",
    ),
  connection: text('connection-name').describe('Name of an entry of connections.'),
  logins: z
    .tuple([login, login], { error: 'two-logins' satisfies ConfigRule })
    .exactOptional()
    .describe('The two logins that take turns. Needed unless type is rotator.'),
  owner: roleName('role')
    .exactOptional()
    .describe('Role without login that both logins belong to, and that owns what they create.'),
  schedule: schedule.exactOptional().describe('When to rotate. Left out: only when asked.'),
  autoRotate: trueOrFalse()
    .prefault(true)
    .describe('false: rotate only when asked, whatever the schedule says.'),
  retryFor: duration(true)
    .prefault('24h')
    .describe(
      'How long a rotation that meets a passing fault, such as a server that is down, is tried again before it fails. Once published it is retried until it is done.',
    ),
  password: password.prefault({}).describe('What passwords are made of.'),
  verify: z
    .array(text('statement'), { error: 'statements' satisfies ConfigRule })
    .prefault([])
    .describe('SQL run as the incoming login before publish; a failure stops the rotation.'),
  drain: drain.prefault({}).describe('How long the outgoing login lives on after publish.'),
  probe: probe
    .prefault({ every: '15m' })
    .transform((given) => (given === 'off' ? undefined : given))
    .describe('Whether what is published is tried between rotations, and how often; or off.'),
  heal: oneOf(['alert', 'restore'])
    .prefault('alert')
    .describe('What a worker does when what is published does not work: say so, or restore it, too.'),
  publish: z
    .array(destination, { error: 'destinations' satisfies ConfigRule })
    .min(1, { error: 'one-destination' satisfies ConfigRule })
    .describe('Where to publish the active login. The first destination is the primary.')
    // The rule says that there is at least one.
    .transform((destinations) => destinations as [Destination, ...Destination[]]),
}).meta({
  // For editors only; check-policy-types.ts has the same with more to say.
  if: { properties: { type: { const: 'rotator' } }, required: ['type'] },
  // biome-ignore lint/suspicious/noThenProperty: it is what JSON Schema calls it.
  then: { properties: { logins: false, owner: false, drain: false, heal: false } },
  else: { required: ['logins'] },
});

export type PolicyEntry = z.output<typeof policySchema>;
export type ScheduleEntry = z.output<typeof scheduleEntry>;

import * as z from 'zod';
import { FIELDS, POLICY_TYPES } from '../policy.ts';
import { everFires, isCron } from '../values/cron.ts';
import { parseSecretName, SECRET_NAME } from '../values/secret-name.ts';
import { isTimeZone, nearestTimeZone } from '../values/time-zone.ts';
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

const every = textLike(
  /^[1-9]\d{0,5}[smhdw]$/,
  'a whole number above 0 and d or w (days, weeks), or h, m or s',
);

const schedule = object('a mapping with every or cron', {
  every: every
    .exactOptional()
    .describe('Nd or Nw, at the time of day `at` says; or Nh, Nm, Ns. Either this or cron.'),
  at: textLike(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day HH:MM from 00:00 to 23:59')
    .exactOptional()
    .describe('Time of day HH:MM, with an interval of days or weeks. Default: 00:00.'),
  cron: z
    .string({ error: cronRule })
    .refine(isCron, { error: cronRule, abort: true })
    .refine(everFires, { error: 'a cron expression that fires at some time; this one never does' })
    .exactOptional()
    .describe('Cron expression of 5 fields, or 6 that begin with seconds. Either this or every.'),
  timezone: z
    .string({ error: 'an IANA time zone such as Europe/Berlin' })
    .refine(isTimeZone, { error: ({ input }) => timeZoneRule(String(input)) })
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

function cronRule(): string {
  return 'a cron expression of 5 fields (minute, hour, day, month, weekday), or 6 that begin with seconds';
}

function timeZoneRule(name: string): string {
  const near = nearestTimeZone(name);
  return near === undefined
    ? 'an IANA time zone such as Europe/Berlin'
    : `an IANA time zone; did you mean "${near}"?`;
}

const symbols = z
  .string({ error: symbolsRule })
  .regex(/^[!-/:-@[-`{-~]*$/, { error: symbolsRule })
  .refine((characters) => new Set(characters).size === characters.length, { error: symbolsRule });

function symbolsRule(): string {
  return 'different punctuation characters of ASCII, such as "-_.!"; letters and digits are always used';
}

const password = object('a mapping with length and symbols', {
  length: wholeNumber(16, 128).prefault(32).describe('Number of characters.'),
  symbols: symbols.prefault('').describe('Punctuation to use besides letters and digits.'),
});

const drain = object('a mapping with grace, timeout and onTimeout', {
  grace: duration(true)
    .prefault('5m')
    .describe('Time after publish before sessions are counted: as long as consumers may cache a credential.'),
  timeout: duration(true).prefault('30m').describe('Time after publish until onTimeout.'),
  onTimeout: oneOf(['terminate', 'wait'])
    .prefault('terminate')
    .describe('What to do with sessions that are left: end them, or go on waiting and alert.'),
});

const secretName = textLike(
  SECRET_NAME,
  'the name of a secret, or name#key for a key of a JSON secret',
).transform(parseSecretName);

const SECRET_HELP: Readonly<Record<(typeof FIELDS)[number], string>> = {
  username: 'Secret for the name of the active login.',
  password: 'Secret for its password.',
  host: 'Secret for the host of the connection.',
  port: 'Secret for its port.',
  database: 'Secret for the name of the database.',
  engine: 'Secret for the word postgres, as tools of AWS expect it.',
  url: 'Secret for a libpq URL with all of it.',
};

const secrets = object(
  `a mapping of ${FIELDS.join(', ')} to secret names`,
  Object.fromEntries(
    FIELDS.map((field) => [field, secretName.exactOptional().describe(SECRET_HELP[field])]),
  ) as Record<(typeof FIELDS)[number], z.ZodExactOptional<typeof secretName>>,
);

const destination = object('a mapping with store, secrets and create', {
  store: text('the name of one of the stores').describe('Name of an entry of stores.'),
  create: trueOrFalse().prefault(false).describe('Whether a secret that does not exist may be made.'),
  secrets: secrets.describe(
    'Field: secret name, or name#key for a key of a JSON secret. Needs username and password, or url.',
  ),
});

/** Said where `logins` is missing, too: whether it may be is for check-policy-types.ts. */
export const TWO_LOGINS = 'a list of two logins';
const login = roleName('the name of a login');

export const policySchema = object('a mapping with connection, logins and publish', {
  description: text('text').exactOptional().describe('What the logins are for.'),
  type: oneOf(POLICY_TYPES)
    .prefault('logins')
    .describe(
      "logins: two that take turns. rotator: the password of the connection's own user, which then has no logins, owner and drain.",
    ),
  connection: text('the name of one of the connections').describe('Name of an entry of connections.'),
  logins: z
    .tuple([login, login], { error: TWO_LOGINS })
    .exactOptional()
    .describe('The two logins that take turns. Needed unless type is rotator.'),
  owner: roleName('the name of a role')
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
    .array(text('an SQL statement'), { error: 'a list of SQL statements' })
    .prefault([])
    .describe('SQL run as the incoming login before publish; a failure stops the rotation.'),
  drain: drain.prefault({}).describe('How long the outgoing login lives on after publish.'),
  publish: z
    .array(destination, { error: 'a list of destinations' })
    .min(1, { error: 'a list of at least one destination' })
    .describe('Where to publish the active login. The first destination is the primary.'),
}).meta({
  // For editors only; check-policy-types.ts has the same with more to say.
  if: { properties: { type: { const: 'rotator' } }, required: ['type'] },
  // biome-ignore lint/suspicious/noThenProperty: it is what JSON Schema calls it.
  then: { properties: { logins: false, owner: false, drain: false } },
  else: { required: ['logins'] },
});

export type PolicyEntry = z.output<typeof policySchema>;
export type ScheduleEntry = z.output<typeof schedule>;

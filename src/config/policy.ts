import { FORMAT_FIELDS } from '../formats/formats.ts';

/** What a destination can be asked to publish of a login. */
export const FIELDS = [
  'username',
  'password',
  'host',
  'port',
  'database',
  'engine',
  ...FORMAT_FIELDS,
] as const;
export type Field = (typeof FIELDS)[number];

/** Where one field goes: a whole secret, or one key of a secret that holds a JSON object. */
export interface SecretName {
  readonly secret: string;
  readonly key?: string;
}

export type Mapping = Readonly<Partial<Record<Field, SecretName>>>;

/** One entry of a policy's `publish`. The first of a policy is its primary. */
export interface Destination {
  /** Name of an entry of `stores`. */
  readonly store: string;
  /** Whether a secret that does not exist may be made. */
  readonly create: boolean;
  readonly secrets: Mapping;
  /** Left out: each format as it is by default. */
  readonly format?: FormatSettings;
}

/** What the formats among the fields leave open. */
export interface FormatSettings {
  /** The name of the section that `service` writes. Left out: the policy's. */
  readonly service?: string;
  /** Where consumers have the server's root certificate, or `system`. Left out: libpq's default. */
  readonly sslrootcert?: string;
  /** Whether `userlist` has the SCRAM verifier of the password, or the password itself. */
  readonly userlist?: 'scram' | 'plain';
}

export interface TimeOfDay {
  readonly hour: number;
  readonly minute: number;
}

/** When a rotation is due. All durations are milliseconds; `timezone` is an IANA name. */
export type Schedule = {
  /** How long after a slot a rotation may still start; left out: for ever. */
  readonly window?: number;
  /** Upper bound of the policy's own, constant offset from each slot. */
  readonly jitter?: number;
  readonly missed: 'run' | 'skip';
  readonly timezone: string;
} & (
  | { readonly kind: 'days'; readonly days: number; readonly at: TimeOfDay }
  | { readonly kind: 'interval'; readonly interval: number }
  | { readonly kind: 'cron'; readonly cron: string }
);

export interface Drain {
  /** Milliseconds after publish before sessions are counted: the consumers' cache lifetime. */
  readonly grace: number;
  /** Milliseconds after publish until `onTimeout`. */
  readonly timeout: number;
  readonly onTimeout: 'terminate' | 'wait';
}

/** The types of policies, as the configuration names them. */
export const POLICY_TYPES = ['logins', 'rotator'] as const;
export type PolicyType = (typeof POLICY_TYPES)[number];

/** Which logins, when, and where to publish. Frozen once loaded. */
export type Policy = LoginsPolicy | RotatorPolicy;

/** Two logins of applications that take turns. */
export interface LoginsPolicy extends AnyPolicy {
  readonly type: 'logins';
  readonly logins: readonly [string, string];
  readonly owner?: string;
  readonly drain: Drain;
}

/** The password of the login with which keyturn itself reaches the server. Nobody else uses it. */
export interface RotatorPolicy extends AnyPolicy {
  readonly type: 'rotator';
  readonly logins: readonly [string];
}

/** What policies of every type have. */
interface AnyPolicy {
  readonly name: string;
  readonly description?: string;
  /** Name of an entry of `connections`. */
  readonly connection: string;
  readonly schedule?: Schedule;
  readonly autoRotate: boolean;
  /** Milliseconds for which a passing fault is tried again before publish. */
  readonly retryFor: number;
  readonly password: { readonly length: number; readonly symbols: string };
  /** SQL run as the incoming login before publish. */
  readonly verify: readonly string[];
  /** How often what is published is tried, in milliseconds; undefined: never. */
  readonly probe: { readonly every: number } | undefined;
  /** Whether a worker restores what is published and does not work. */
  readonly heal: 'alert' | 'restore';
  /** At least one; the first is the primary. */
  readonly publish: readonly [Destination, ...Destination[]];
}
